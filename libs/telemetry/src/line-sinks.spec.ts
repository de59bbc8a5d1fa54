import type { RunEvent } from '@lockstep/core';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createJsonLines } from './json-lines.ts';
import { createMetricsFile } from './metrics-file.ts';
import { fanOut } from './run-event-sink.ts';
import { end, epoch, start, step, worker } from './run-events.fixture.ts';

const log: RunEvent = { event: 'log', level: 'info', message: 'two\nlines' };
const parse = (lines: string): RunEvent[] => lines.trimEnd().split('\n').map((line) => JSON.parse(line) as RunEvent);

let directory: string;
beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'lockstep-telemetry-')); });
afterEach(() => rm(directory, { recursive: true }));

describe('createJsonLines', () => {
  it('writes every event as one line, in order, the end last', async () => {
    const events = [start, worker(0), log, step(0), epoch(0), end];
    const stream = new PassThrough();
    const written = text(stream);
    const sink = createJsonLines(stream);
    events.forEach((event) => sink.write(event));
    await sink.close();
    stream.end();
    const lines = await written;
    expect(parse(lines)).toEqual(events);
    expect(lines.split('\n').at(-2)).toMatch(/^\{"event":"end","run":"demo",/);
  });

  it('keeps everything for a slow reader, and closes when the reader has it', async () => {
    const received: string[] = [];
    const slow = new Writable({ highWaterMark: 10, write: (chunk: Buffer, _, done) => { received.push(chunk.toString()); setImmediate(done); } });
    const sink = createJsonLines(slow);
    for (let number = 0; number < 2000; number += 1) sink.write(step(number));
    await sink.close();
    expect(parse(received.join(''))).toHaveLength(2000);
  });

  it('leaves the stream open', async () => {
    const stream = new PassThrough();
    await createJsonLines(stream).close();
    expect(stream.writable).toBe(true);
  });

  it('lets the run go on when the reader has gone', async () => {
    const gone = new Writable({ write: (_, __, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })) });
    const sink = createJsonLines(gone);
    sink.write(start);
    await expect(sink.close()).resolves.toBeUndefined();
  });
});

describe('createMetricsFile', () => {
  it('keeps start, steps, epochs and end, and makes its directory', async () => {
    const path = join(directory, 'runs/demo/metrics.jsonl');
    const sink = createMetricsFile(path);
    [start, worker(0), log, step(0), epoch(0), end].forEach((event) => sink.write(event));
    await sink.close();
    expect(parse(await readFile(path, 'utf8'))).toEqual([start, step(0), epoch(0), end]);
  });

  it('appends to what a run wrote before', async () => {
    const path = join(directory, 'metrics.jsonl');
    for (const number of [0, 1]) {
      const sink = createMetricsFile(path);
      sink.write(step(number));
      await sink.close();
    }
    expect(parse(await readFile(path, 'utf8'))).toEqual([step(0), step(1)]);
  });

  it('tells at close that the file could not be written', async () => {
    const sink = createMetricsFile(directory);
    sink.write(step(0));
    await expect(sink.close()).rejects.toMatchObject({ code: 'storage', message: expect.stringContaining(`${directory}: EISDIR`) });
  });
});

describe('fanOut', () => {
  it('writes to all and closes all, also when one fails', async () => {
    const path = join(directory, 'metrics.jsonl');
    const sink = fanOut([createMetricsFile(directory), createMetricsFile(path)]);
    sink.write(end);
    await expect(sink.close()).rejects.toMatchObject({ code: 'storage' });
    expect(parse(await readFile(path, 'utf8'))).toEqual([end]);
  });
});
