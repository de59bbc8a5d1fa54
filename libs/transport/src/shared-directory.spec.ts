import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { createSharedDirectory, probeSharedDirectory } from './shared-directory.ts';

const NAMESPACE = readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
const made: string[] = [];
afterEach(() => made.splice(0).forEach((path) => rmSync(path, { recursive: true, force: true })));

function left(name: string): string {
  const path = join('/dev/shm', name);
  mkdirSync(join(path, 'within'), { recursive: true });
  made.push(path);
  return path;
}

/** A process that is no more, its number not yet given to another. */
function deadPid(): number {
  return spawnSync('true').pid;
}

it('is its owner\'s alone, with a proof in it that only those who see it can know', () => {
  const directory = createSharedDirectory(0)!;
  expect(statSync(directory.path).mode & 0o777).toBe(0o700);
  expect(readdirSync(directory.path).map((name) => statSync(join(directory.path, name)).mode & 0o777)).toEqual([0o600]);
  expect(probeSharedDirectory(directory.path)).toBe(directory.proof);
  expect(directory.proof).toMatch(/^[0-9a-f]{32}$/);
  directory.remove();
});

it('never proves itself twice the same', () => {
  const [a, b] = [createSharedDirectory(0)!, createSharedDirectory(0)!];
  expect(a.proof).not.toBe(b.proof);
  expect(a.path).not.toBe(b.path);
  for (const directory of [a, b]) directory.remove();
});

it('is gone with all its files after remove, which can be repeated', () => {
  const directory = createSharedDirectory(0)!;
  writeFileSync(join(directory.path, 'more'), 'x');
  directory.remove();
  directory.remove();
  expect(existsSync(directory.path)).toBe(false);
  expect(probeSharedDirectory(directory.path)).toBeNull();
});

it('is null where the tmpfs has not the room', () => {
  expect(createSharedDirectory(Number.MAX_SAFE_INTEGER)).toBeNull();
  expect(readdirSync('/dev/shm').filter((name) => name.includes(`-${process.pid}-`))).toEqual([]);
});

it('removes what dead processes of this namespace left, and nothing else', () => {
  const dead = left(`lockstep-${NAMESPACE}-${deadPid()}-abc123`);
  const kept = [
    left(`lockstep-${NAMESPACE}-${process.pid}-abc123`),
    left(`lockstep-${NAMESPACE}-${process.ppid}-abc123`),
    left(`lockstep-1${NAMESPACE}-${deadPid()}-abc123`),
    left(`lockstep-${NAMESPACE}-notanumber-abc123`),
    left(`someone-${NAMESPACE}-${deadPid()}-abc123`),
  ];
  createSharedDirectory(0)!.remove();
  expect(existsSync(dead)).toBe(false);
  expect(kept.filter((path) => !existsSync(path))).toEqual([]);
});

it('is not seen where there is no such directory', () => {
  expect(probeSharedDirectory('/dev/shm/no-such-directory')).toBeNull();
});
