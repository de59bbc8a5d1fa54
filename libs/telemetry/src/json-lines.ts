import { createBatchedWriter, type BatchedWriter } from './batched-writer.ts';
import type { RunEventSink } from './run-event-sink.ts';

/** For machines: each event as one JSON object a line, at most 100 ms late. The stream stays open. */
export function createJsonLines(stream: NodeJS.WritableStream): RunEventSink {
  return sinkOfLines(createBatchedWriter(stream as NodeJS.WriteStream, { join: joinLines, name: 'output', owned: false }));
}

export function joinLines(lines: readonly string[]): string {
  return lines.join('');
}

function sinkOfLines(writer: BatchedWriter<string>): RunEventSink {
  return {
    write: (event) => writer.write(`${JSON.stringify(event)}\n`),
    close: () => writer.close(),
  };
}
