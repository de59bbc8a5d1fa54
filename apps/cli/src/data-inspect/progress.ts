import { basename } from 'node:path';
import { SingleBar } from 'cli-progress';

export interface Progress {
  report(done: number, total: number, what: string): void;
  stop(): void;
}

/** A bar for each file or folder that is read; nothing where the stream is no terminal. */
export function showProgress(stream: NodeJS.WriteStream): Progress {
  const bar = new SingleBar({ format: 'reading {what} {bar} {percentage} %', stream, clearOnComplete: true, hideCursor: true });
  let current: string | null = null;
  return {
    report(done, total, what) {
      if (!stream.isTTY) return;
      if (what !== current) bar.start(total, done, { what: basename(what) });
      else bar.update(done);
      current = what;
    },
    stop() {
      if (current !== null) bar.stop();
    },
  };
}
