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
