import type { EpochEvent, StepEvent } from '@lockstep/core';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { appendTo } from '../append-to.ts';
import { createBatchedWriter } from '../batched-writer.ts';
import type { RunEventSink } from '../run-event-sink.ts';
import { EventMessage, type ScalarEvent } from './event-schema.ts';
import { frameRecord } from './tf-record.ts';

/** The version of the event format that TensorBoard expects in a file's first record. */
const FILE_VERSION = 'brain.Event:2';

/** A file `events.out.tfevents.*` in `directory` for TensorBoard: scalars of training each step, of epochs and validation each epoch; x is the step. */
export function createTensorBoard(directory: string): RunEventSink {
  const path = join(directory, `events.out.tfevents.${Math.floor(Date.now() / 1000)}.${hostname()}.${process.pid}.0`);
  const writer = createBatchedWriter<Buffer>(appendTo(path), { join: Buffer.concat, name: path, owned: true });
  const writeEvent = (event: ScalarEvent) => writer.write(frameRecord(EventMessage.encode(event).finish()));
  writeEvent({ wallTime: secondsNow(), fileVersion: FILE_VERSION });
  return {
    write(event) {
      if (event.event === 'step') writeEvent(scalars(event.step, stepScalars(event)));
      if (event.event === 'epoch') writeEvent(scalars(event.step, epochScalars(event)));
    },
    close: () => writer.close(),
  };
}

function stepScalars(event: StepEvent): Record<string, number> {
  return {
    'train/loss': event.loss,
    'train/accuracy': event.accuracy,
    'train/learning_rate': event.learningRate,
    'train/examples_per_second': event.examplesPerSecond,
  };
}

function epochScalars(event: EpochEvent): Record<string, number> {
  const epoch = { 'epoch/loss': event.loss, 'epoch/accuracy': event.accuracy };
  if (event.validation === null) return epoch;
  return { ...epoch, 'validation/loss': event.validation.loss, 'validation/accuracy': event.validation.accuracy };
}

function scalars(step: number, values: Record<string, number>): ScalarEvent {
  return { wallTime: secondsNow(), step, summary: { value: Object.entries(values).map(([tag, simpleValue]) => ({ tag, simpleValue })) } };
}

function secondsNow(): number {
  return Date.now() / 1000;
}
