import { LockstepError, messageOf } from '@lockstep/core';
import type { Journal, JournalEntry } from '@lockstep/checkpoint';

export interface PatientJournalOptions {
  /** How long entries may wait for the disk. */
  readonly patienceMs: number;
  readonly onWarning: (message: string) => void;
  /** They have waited so long in vain. */
  readonly onFailure: (error: LockstepError) => void;
}

/** How soon it is tried again. */
const AGAIN_AFTER_MS = 250;

/**
 * Appends to a journal; where the disk cannot take an entry, as when it is full, the entry waits here with those after it,
 * and the run goes on meanwhile.
 */
export class PatientJournal implements Journal {
  readonly #journal: Journal;
  readonly #options: PatientJournalOptions;
  readonly #waiting: JournalEntry[] = [];
  /** While entries wait: resolves when none does. */
  #room: PromiseWithResolvers<void> | null = null;
  #sinceMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(journal: Journal, options: PatientJournalOptions) {
    this.#journal = journal;
    this.#options = options;
  }

  get entries(): readonly JournalEntry[] {
    return this.#journal.entries;
  }

  append(entry: JournalEntry): void {
    this.#waiting.push(entry);
    if (this.#timer === null) this.#write();
  }

  /** Resolves when everything that was appended is in the journal. */
  async settled(): Promise<void> {
    await this.#room?.promise;
  }

  /** What still waits is written now. @throws LockstepError `storage` if it cannot be. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    try {
      this.#writeWaiting();
    } finally {
      this.#journal.close();
    }
  }

  #write(): void {
    try {
      this.#writeWaiting();
      this.#timer = null;
      this.#room?.resolve();
      this.#room = null;
    } catch (error) {
      this.#wait(error);
    }
  }

  #writeWaiting(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      this.#journal.append(next);
      this.#waiting.shift();
    }
  }

  #wait(error: unknown): void {
    // An entry that the journal refuses is none that the disk will have room for.
    if (!(error instanceof LockstepError)) return this.#refuse(new LockstepError('protocol', `not an entry of the journal: ${messageOf(error)}`, { cause: error }));
    const nowMs = performance.now();
    if (this.#timer === null) {
      this.#room = Promise.withResolvers();
      this.#sinceMs = nowMs;
      this.#options.onWarning(`${error.message}; training goes on, it is tried again`);
    }
    if (error.code !== 'storage' || nowMs - this.#sinceMs > this.#options.patienceMs) return this.#options.onFailure(error);
    this.#timer = setTimeout(() => this.#write(), AGAIN_AFTER_MS);
  }

  #refuse(failure: LockstepError): void {
    this.#waiting.shift();
    this.#options.onFailure(failure);
  }
}
