import { clearLine, cursorTo } from 'node:readline';

/** One line on a terminal that the next takes the place of; nothing where the stream is no terminal. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(message: string): void {
    if (!this.#stream.isTTY) return;
    this.clear();
    this.#stream.write(message.slice(0, this.#stream.columns - 1));
  }

  clear(): void {
    if (!this.#stream.isTTY) return;
    clearLine(this.#stream, 0);
    cursorTo(this.#stream, 0);
  }
}
