import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '@lockstep/core';
import { end, epoch, start, step, worker } from './run-events.fixture.ts';
import { createTerminalProgress } from './terminal-progress.ts';

const allSteps = Array.from({ length: 200 }, (_, number) => step(number));

/** What a terminal of that width was sent, without control sequences. */
async function shown(columns: number, events: readonly RunEvent[]): Promise<string> {
  const chunks: string[] = [];
  const terminal = Object.assign(new Writable({ write: (chunk: Buffer, _, done) => { chunks.push(chunk.toString()); done(); } }), { isTTY: true, columns, rows: 24, hasColors: () => true });
  const sink = createTerminalProgress(terminal as unknown as NodeJS.WriteStream);
  events.forEach((event) => sink.write(event));
  await sink.close();
  return stripVTControlCharacters(chunks.join(''));
}

describe('createTerminalProgress', () => {
  it('shows a line for the run and one a worker, also those that joined before the start', async () => {
    const text = await shown(140, [worker(0), start, worker(1), ...allSteps]);
    expect(text).toContain('epoch 2/2    ━━━━━━━━━━━━━━━━━━━━━━━━  step 200/200  loss 0.0050  accuracy 99.5 %  3,200 images/s  0 s left');
    expect(text).toContain('worker 0     ━━━━━━━━━━━━━━━━━━━─────  80 % busy  2 micro-batches  16.0 ms a step  box:100  cpu');
    expect(text).toContain('worker 1     ━━━━━━━━━━──────────────  40 % busy  2 micro-batches  8.0 ms a step  box:101  cpu');
  });

  it('gives the bars’ place to the figures where the terminal is narrow', async () => {
    const text = await shown(80, [start, worker(0), ...allSteps]);
    expect(text).toContain('epoch 2/2 step 200/200 loss 0.0050 accuracy 99.5 % 3,200 images/s 0 s left');
    expect(text).not.toContain('━');
  });

  it('lets start, epochs, lost workers, messages and the end stand', async () => {
    const text = await shown(140, [start, worker(0), step(0), { event: 'log', level: 'warn', message: 'slow disk' }, epoch(0), worker(0, 'lost', 'killed'), end]);
    for (const line of [
      'demo: mlp, 101,770 parameters, 6,400 training samples, 2 epochs of 100 steps, global batch 64 in 4 micro-batches\n',
      'warn: slow disk\n',
      'epoch 1/2 done: loss 0.2500 accuracy 90.00 %, 3,200 images/s, 2 s\n',
      'worker 0 (box:100, cpu) lost: killed\n',
      `trained 200 steps in 4 s, 3,200 images/s; test loss 0.1250 accuracy 95.00 %; parameters ${'ab'.repeat(32)}; files in runs/demo\n`,
    ]) expect(text).toContain(line);
  });

  it('tells what happens before the start', async () => {
    expect(await shown(140, [{ event: 'log', level: 'info', message: 'reading data' }])).toBe('reading data\n');
  });
});
