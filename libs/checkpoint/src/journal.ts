import type { DatabaseSync } from 'node:sqlite';
import { appenderOf, openLocked, readEntries } from './journal-database.ts';
import { journalEntrySchema, type JournalEntry } from './journal-entries.ts';
import { asJournalError, isBusy } from './journal-error.ts';
import { heldByAnother, removeHolder, writeHolder, type JournalHolder } from './journal-holder.ts';
import type { RunDirectory } from './run-directory.ts';

/** What a coordinator must know again after its end. Whoever has it open is the run's only coordinator. */
export interface Journal {
  /** In the order in which they were appended. */
  readonly entries: readonly JournalEntry[];
  /** Returns when the entry is on the disk. @throws LockstepError `storage` if it cannot be. */
  append(entry: JournalEntry): void;
  /** Lets another process open it. */
  close(): void;
}

/** A database that nobody refers to any more is closed by the garbage collector, and with it the lock would go. */
const held = new Set<DatabaseSync>();

/**
 * Opens the journal of a run, `journal.sqlite`, or makes it, and locks it. The kernel frees the lock when the process ends, however it does.
 * @throws LockstepError `usage` naming the process that has it open; `storage` naming the file where it is damaged, of an
 * unknown format, or cannot be written.
 */
export function openJournal(run: RunDirectory, holder: JournalHolder): Journal {
  const path = run.file('journal.sqlite');
  let database: DatabaseSync | null = null;
  try {
    database = openLocked(path);
    writeHolder(run, holder);
    return new SqliteJournal(run, path, database, readEntries(path, database));
  } catch (error) {
    database?.close();
    throw isBusy(error) ? heldByAnother(run, path, error) : asJournalError(path, error);
  }
}

class SqliteJournal implements Journal {
  readonly #run: RunDirectory;
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #append: (number: number, entry: JournalEntry) => void;
  readonly #entries: JournalEntry[];

  constructor(run: RunDirectory, path: string, database: DatabaseSync, entries: JournalEntry[]) {
    this.#run = run;
    this.#path = path;
    this.#database = database;
    this.#append = appenderOf(database);
    this.#entries = entries;
    held.add(database);
  }

  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  append(entry: JournalEntry): void {
    const checked = journalEntrySchema.parse(entry);
    try {
      this.#append(this.#entries.length + 1, checked);
    } catch (error) {
      throw asJournalError(this.#path, error);
    }
    this.#entries.push(checked);
  }

  close(): void {
    removeHolder(this.#run);
    this.#database.close();
    held.delete(this.#database);
  }
}
