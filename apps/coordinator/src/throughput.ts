const WINDOW_SECONDS = 1;

/** Examples a second over about the last second. */
export class Throughput {
  readonly #steps: { readonly atSeconds: number; readonly numExamples: number }[] = [];
  #examplesInWindow = 0;

  /** Adds a step that ended at `atSeconds`, and gives the rate. */
  add(atSeconds: number, numExamples: number): number {
    this.#steps.push({ atSeconds, numExamples });
    this.#examplesInWindow += numExamples;
    while (this.#steps.length > 2 && atSeconds - (this.#steps[1]?.atSeconds ?? 0) >= WINDOW_SECONDS) {
      this.#examplesInWindow -= this.#steps.shift()?.numExamples ?? 0;
    }
    const first = this.#steps[0];
    if (first === undefined || first.atSeconds === atSeconds) return atSeconds > 0 ? numExamples / atSeconds : 0;
    return (this.#examplesInWindow - first.numExamples) / (atSeconds - first.atSeconds);
  }
}
