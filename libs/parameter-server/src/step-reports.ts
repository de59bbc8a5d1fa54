import type { FinishedStep } from '@lockstep/transport';

const INTERVAL_MS = 50;

/** Tells of finished steps some at a time: a message a step costs a small model's shard a third of its time. */
export class StepReports {
  readonly #send: (steps: readonly FinishedStep[]) => void;
  #steps: FinishedStep[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(send: (steps: readonly FinishedStep[]) => void) {
    this.#send = send;
  }

  /** Notes a finished step; it is told within 50 ms. */
  add(finished: FinishedStep): void {
    this.#steps.push(finished);
    this.#timer ??= setTimeout(() => this.flush(), INTERVAL_MS);
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#steps.length > 0) this.#send(this.#steps);
    this.#steps = [];
  }
}
