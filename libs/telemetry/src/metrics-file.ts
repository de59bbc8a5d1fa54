import { createReadStream } from 'node:fs';
import { truncate } from 'node:fs/promises';
import { LockstepError, messageOf, type RunEvent } from '@lockstep/core';
import { createBatchedWriter } from './batched-writer.ts';
import { appendTo } from './append-to.ts';
import { joinLines } from './json-lines.ts';
import type { RunEventSink } from './run-event-sink.ts';

/** `metrics.jsonl`: a JSON object a line for the start and each step, epoch and end; what the file held before stays. */
export function createMetricsFile(path: string): RunEventSink {
  const writer = createBatchedWriter(appendTo(path), { join: joinLines, name: path, owned: true });
  return {
    write(event) {
      if (event.event === 'log' || event.event === 'worker') return;
      writer.write(`${JSON.stringify(event)}\n`);
    },
    close: () => writer.close(),
  };
}

/**
 * Reads what an earlier process wrote, for a run that goes on. A last line that its end cut off is cut off for good, so
 * that what is appended starts on a line of its own.
 * @throws LockstepError `storage` naming the file and the line that is no event, or the reason why it cannot be read.
 */
export async function reopenMetricsFile(path: string, onEvent: (event: RunEvent) => void): Promise<void> {
  let rest = Buffer.alloc(0);
  let wholeBytes = 0;
  let line = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      rest = Buffer.concat([rest, chunk]);
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        line += 1;
        onEvent(JSON.parse(rest.toString('utf8', 0, end)) as RunEvent);
        wholeBytes += end + 1;
        rest = rest.subarray(end + 1);
      }
    }
    if (rest.length > 0) await truncate(path, wholeBytes);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new LockstepError('storage', cause instanceof SyntaxError ? `${path}:${line}: not an event` : `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}
