/** What happened, in order. A test waits for what it expects, and its runner's time limit ends a wait in vain. */
export class Journal<T> {
  readonly entries: T[] = [];
  #waiting: { readonly satisfied: () => boolean; readonly resolve: () => void }[] = [];

  add(entry: T): void {
    this.entries.push(entry);
    this.#waiting = this.#waiting.filter(({ satisfied, resolve }) => {
      if (!satisfied()) return true;
      resolve();
      return false;
    });
  }

  /** Resolves with all entries as soon as they satisfy `holds`. */
  async until(holds: (entries: readonly T[]) => boolean): Promise<readonly T[]> {
    const satisfied = (): boolean => holds(this.entries);
    if (!satisfied()) await new Promise<void>((resolve) => this.#waiting.push({ satisfied, resolve }));
    return this.entries;
  }

  async atLeast(count: number): Promise<readonly T[]> {
    return this.until((entries) => entries.length >= count);
  }
}
