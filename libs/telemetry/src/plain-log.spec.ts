import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '@lockstep/core';
import { createPlainLog } from './plain-log.ts';
import { end, epoch, start, step, worker } from './run-events.fixture.ts';

async function logged(events: readonly RunEvent[]): Promise<string[]> {
  const stream = new PassThrough();
  const written = text(stream);
  const sink = createPlainLog(stream);
  events.forEach((event) => sink.write(event));
  await sink.close();
  stream.end();
  return (await written).trimEnd().split('\n');
}

describe('createPlainLog', () => {
  it('tells the start, what happens to workers, each epoch and the end', async () => {
    const validation = { loss: 0.0004, accuracy: 0.91 };
    expect(await logged([worker(0), start, worker(0, 'training'), epoch(0), epoch(1, validation), worker(1, 'lost', 'silent for 2.1 s'), end])).toEqual([
      'worker 0 (box:100, cpu) joined',
      'demo: mlp, 101,770 parameters, 6,400 training samples, 2 epochs of 100 steps, global batch 64 in 4 micro-batches',
      'epoch 1/2 done: loss 0.2500 accuracy 90.00 %, 3,200 images/s, 2 s',
      'epoch 2/2 done: loss 0.2500 accuracy 90.00 %, validation loss 4.00e-4 accuracy 91.00 %, 3,200 images/s, 4 s',
      'worker 1 (box:101, cpu) lost: silent for 2.1 s',
      `trained 200 steps in 4 s, 3,200 images/s; test loss 0.1250 accuracy 95.00 %; parameters ${'ab'.repeat(32)}; files in runs/demo`,
    ]);
  });

  it('writes a line of progress at the first step and then every five seconds of training', async () => {
    const steps = Array.from({ length: 130 }, (_, number) => ({ ...step(number), elapsedSeconds: number / 10 }));
    expect(await logged([start, ...steps])).toEqual([
      expect.stringContaining('demo: mlp'),
      'epoch 1/2 step 1/200 loss 1.0000 accuracy 0.00 % 3,200 images/s',
      expect.stringContaining('step 51/200'),
      expect.stringContaining('step 101/200'),
    ]);
  });

  it('tells the time left from the pace', async () => {
    const [, , second] = await logged([start, step(0), { ...step(150), elapsedSeconds: 8 }]);
    expect(second).toBe('epoch 2/2 step 151/200 loss 0.0066 accuracy 75.00 % 3,200 images/s, 3 s left');
  });

  it('names the level of warnings and errors', async () => {
    expect(await logged([{ event: 'log', level: 'info', message: 'ready' }, { event: 'log', level: 'warn', message: 'no TLS' }])).toEqual(['ready', 'warn: no TLS']);
  });
});
