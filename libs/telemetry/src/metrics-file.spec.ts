import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '@lockstep/core';
import { createMetricsFile, reopenMetricsFile } from './metrics-file.ts';
import { start, step } from './run-events.fixture.ts';

describe('the metrics file of a run that goes on', () => {
  let directory: string;
  let path: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lockstep-metrics-'));
    path = join(directory, 'metrics.jsonl');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function reopened(): Promise<RunEvent[]> {
    const events: RunEvent[] = [];
    await reopenMetricsFile(path, (event) => events.push(event));
    return events;
  }

  it('gives what was written, and what comes next starts a line of its own', async () => {
    const whole = `${JSON.stringify(start)}\n${JSON.stringify(step(0))}\n`;
    await writeFile(path, `${whole}{"event":"step","st`);
    expect(await reopened()).toEqual([start, step(0)]);
    expect(await readFile(path, 'utf8')).toBe(whole);
    const sink = createMetricsFile(path);
    sink.write(step(1));
    await sink.close();
    expect(await reopened()).toEqual([start, step(0), step(1)]);
  });

  it('is empty where there is none', async () => {
    expect(await reopened()).toEqual([]);
  });

  it('names the line that is no event', async () => {
    await writeFile(path, `${JSON.stringify(start)}\nnothing\n`);
    await expect(reopened()).rejects.toMatchObject({ code: 'storage', message: `${path}:2: not an event` });
  });
});
