import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { Recorded } from './testing/record-on-full-disk.ts';

const SCRIPT = join(import.meta.dirname, 'testing', 'record-on-full-disk.ts');
const COUNT = 500;

it('what a run records on a full disk waits for room, and then all of it is there', async () => {
  const runs = await mkdtemp(join(tmpdir(), 'lockstep-full-'));
  const mount = 'mount -t tmpfs -o size=16777216 tmpfs "$0" && exec "$@"';
  const { stdout } = await promisify(execFile)('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', mount, runs, process.execPath, SCRIPT, runs]);
  await rm(runs, { recursive: true });
  const { warnings, entries, steps, events } = JSON.parse(stdout) as Recorded;
  const all = Array.from({ length: COUNT }, (_, index) => index);
  expect(entries).toEqual(all);
  expect(steps).toEqual(all);
  expect(events).toEqual(all);
  expect(warnings.toSorted()).toEqual([expect.stringMatching(/journal\.sqlite: .*full.*tried again/), expect.stringMatching(/receipts\.jsonl: ENOSPC/)]);
});
