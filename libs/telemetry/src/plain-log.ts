import { assertNever, type ExampleKind, type RunEvent, type StartEvent, type StepEvent } from '@lockstep/core';
import { createBatchedWriter } from './batched-writer.ts';
import { joinLines } from './json-lines.ts';
import { count, duration, endText, epochText, scoreText, shardsText, startText, workerText } from './progress-text.ts';
import type { RunEventSink } from './run-event-sink.ts';
import { trackTimeLeft } from './time-left.ts';

const SECONDS_BETWEEN_LINES = 5;

/** For a log file or a pipe: a line each epoch, every 5 seconds of training, and for whatever else happens. The stream stays open. */
export function createPlainLog(stream: NodeJS.WritableStream): RunEventSink {
  const writer = createBatchedWriter(stream as NodeJS.WriteStream, { join: joinLines, name: 'output', owned: false });
  const timeLeft = trackTimeLeft();
  let start: StartEvent | undefined;
  let lastLineSeconds = -Infinity;

  const examples = (): ExampleKind => start?.examples ?? 'images';

  function stepText(event: StepEvent): string {
    const left = timeLeft(event, start?.totalSteps ?? 0);
    return `epoch ${event.epoch + 1}/${start?.epochs ?? '?'} step ${event.step + 1}/${start?.totalSteps ?? '?'} ${scoreText(examples(), event)} `
      + `${count(event.examplesPerSecond)} ${examples()}/s${left === null ? '' : `, ${duration(left)} left`}`;
  }

  function textOf(event: RunEvent): string | null {
    switch (event.event) {
      case 'start': return startText((start = event));
      case 'worker': return event.state === 'training' ? null : workerText(event);
      case 'step': {
        if (event.elapsedSeconds - lastLineSeconds < SECONDS_BETWEEN_LINES) return null;
        lastLineSeconds = event.elapsedSeconds;
        return stepText(event);
      }
      case 'epoch': return epochText(event, start?.epochs ?? event.epoch + 1, examples());
      case 'checkpoint': return null;
      case 'shards': return shardsText(event);
      case 'stall': return `warn: ${event.reason}`;
      case 'log': return event.level === 'info' ? event.message : `${event.level}: ${event.message}`;
      case 'end': return endText(event);
      default: return assertNever(event);
    }
  }

  return {
    write(event) {
      const text = textOf(event);
      if (text === null) return;
      writer.write(`${text}\n`);
      writer.flush();
    },
    close: () => writer.close(),
  };
}
