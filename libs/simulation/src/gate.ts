/** Opens once so many things are done; who waits is told then, or at once. */
export class Gate {
  #left: number;
  #waiting: (() => void)[] = [];

  constructor(things: number) {
    this.#left = things;
  }

  readonly done = (): void => {
    this.#left -= 1;
    if (this.#left > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const tell of waiting) tell();
  };

  then(tell: () => void): void {
    if (this.#left <= 0) tell();
    else this.#waiting.push(tell);
  }
}
