import { chmodSync, closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { LockstepError, messageOf, sha256 } from '@lockstep/core';
import { z } from 'zod';
import { journalEntrySchema, type JournalEntry } from './journal-entries.ts';
import type { RunDirectory } from './run-directory.ts';
import { storageError } from './storage-error.ts';

/** The process that opens a journal, as another that is refused is told of it. */
export interface JournalHolder {
  readonly pid: number;
  readonly hostname: string;
}

/** What a coordinator must know again after its end. Whoever has it open is the run's only coordinator. */
export interface Journal {
  /** In the order in which they were appended. */
  readonly entries: readonly JournalEntry[];
  /** Returns when the entry is on the disk. @throws LockstepError `storage` if it cannot be. */
  append(entry: JournalEntry): void;
  /** Lets another process open it. */
  close(): void;
}

/** In SQLite's header, so that a later format is told apart before its tables are read. */
const FORMAT_VERSION = 1;
const SQLITE = { busy: 5, readOnly: 8, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;

/**
 * Opens the journal of a run, `journal.sqlite`, or makes it, and locks it. The kernel frees the lock when the process ends, however it does.
 * @throws LockstepError `usage` naming the process that has it open; `storage` naming the file where it is damaged, of an
 * unknown format, or cannot be written.
 */
export function openJournal(run: RunDirectory, holder: JournalHolder): Journal {
  const path = run.file('journal.sqlite');
  const holderPath = run.file('coordinator.json');
  const database = openLocked(path, holderPath);
  try {
    writeHolder(holderPath, holder);
    return new SqliteJournal(path, holderPath, database, readEntries(path, database));
  } catch (error) {
    database.close();
    throw error instanceof LockstepError ? error : journalError(path, holderPath, error);
  }
}

class SqliteJournal implements Journal {
  readonly #path: string;
  readonly #holderPath: string;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #entries: JournalEntry[];

  constructor(path: string, holderPath: string, database: DatabaseSync, entries: JournalEntry[]) {
    this.#path = path;
    this.#holderPath = holderPath;
    this.#database = database;
    this.#insert = database.prepare('INSERT INTO entries (number, json, sha256) VALUES (?, ?, ?)');
    this.#entries = entries;
  }

  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  append(entry: JournalEntry): void {
    const number = this.#entries.length + 1;
    const json = JSON.stringify(journalEntrySchema.parse(entry));
    try {
      this.#insert.run(number, json, checksumOf(number, json));
    } catch (error) {
      throw journalError(this.#path, this.#holderPath, error);
    }
    this.#entries.push(entry);
  }

  close(): void {
    rmSync(this.#holderPath, { force: true });
    this.#database.close();
  }
}

/** Of an entry and its place: SQLite itself does not notice a changed bit within a row. */
const checksumOf = (number: number, json: string): string => sha256(`${number} ${json}`);

function openLocked(path: string, holderPath: string): DatabaseSync {
  let database: DatabaseSync | null = null;
  try {
    makePrivate(path);
    database = new DatabaseSync(path);
    // A write-ahead log: a torn last write is found by its checksums and dropped. Locked before it is first read, it needs no shared memory.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN EXCLUSIVE; COMMIT');
    return database;
  } catch (error) {
    database?.close();
    throw journalError(path, holderPath, error);
  }
}

/** It holds the run's token. Never opened if it is there: closing a file drops its process's lock on it. */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    chmodSync(path, 0o600);
  }
}

function readEntries(path: string, database: DatabaseSync): JournalEntry[] {
  const damages = database.prepare('PRAGMA quick_check(1)').all().map((row) => String(row['quick_check'])).filter((text) => text !== 'ok');
  if (damages.length > 0) throw damaged(path, damages.join());
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version === 0) makeTable(database);
  else if (version !== FORMAT_VERSION) {
    throw new LockstepError('storage', `${path}: format version ${version}, expected ${FORMAT_VERSION}`, { hint: 'a newer Lockstep may have written it: use that one' });
  }
  return database.prepare('SELECT number, json, sha256 FROM entries ORDER BY number').all().map((row, index) => readEntry(path, row, index + 1));
}

/** In one transaction, so that a file is of no version or whole. */
function makeTable(database: DatabaseSync): void {
  database.exec(`BEGIN; CREATE TABLE entries (number INTEGER PRIMARY KEY, json TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT; PRAGMA user_version = ${FORMAT_VERSION}; COMMIT`);
}

function readEntry(path: string, { number, json, sha256: checksum }: Record<string, unknown>, expected: number): JournalEntry {
  if (number !== expected) throw damaged(path, `entry ${expected} is missing`);
  if (checksum !== checksumOf(expected, String(json))) throw damaged(path, `entry ${expected} does not have its checksum`);
  const { success, data, error } = journalEntrySchema.safeParse(JSON.parse(String(json)));
  if (success) return data;
  throw new LockstepError('storage', `${path}: entry ${expected} is not one that this Lockstep knows: ${z.prettifyError(error)}`, {
    hint: 'a newer Lockstep may have written it: use that one', cause: error,
  });
}

function damaged(path: string, what: string, cause?: unknown): LockstepError {
  return new LockstepError('storage', `${path} is damaged: ${what}`, {
    hint: 'put back a copy of it, or move it away: without it the run goes on from its newest checkpoint',
    cause,
  });
}

function journalError(path: string, holderPath: string, error: unknown): LockstepError {
  const code = Number((error as { errcode?: number }).errcode) & 0xff;
  if (code === SQLITE.busy) return heldByAnother(path, holderPath, error);
  if (code === SQLITE.corrupt || code === SQLITE.notADatabase) return damaged(path, messageOf(error), error);
  return storageError(`cannot write ${path}`, withErrno(code, error));
}

function heldByAnother(path: string, holderPath: string, cause: unknown): LockstepError {
  return new LockstepError('usage', `the run has a coordinator already: ${describeHolder(holderPath)} holds ${path}`, {
    hint: 'end that one first, or train under another --run NAME', cause,
  });
}

function describeHolder(holderPath: string): string {
  try {
    const { pid, hostname, since } = holderSchema.parse(JSON.parse(readFileSync(holderPath, 'utf8')));
    return `process ${pid} on ${hostname}, since ${since},`;
  } catch {
    return 'another process';
  }
}

const holderSchema = z.object({ pid: z.int(), hostname: z.string(), since: z.string() });

function writeHolder(holderPath: string, { pid, hostname }: JournalHolder): void {
  const temporary = `${holderPath}.partial-${pid}`;
  try {
    writeFileSync(temporary, JSON.stringify({ pid, hostname, since: new Date().toISOString() }));
    renameSync(temporary, holderPath);
  } catch (cause) {
    throw storageError(`cannot write ${holderPath}`, cause);
  }
}

/** The same reasons under the names that the operating system gives them. */
function withErrno(code: number, error: unknown): unknown {
  const errno = { [SQLITE.full]: 'ENOSPC', [SQLITE.readOnly]: 'EACCES', [SQLITE.cannotOpen]: 'EACCES' }[code];
  return errno === undefined ? error : Object.assign(new Error(messageOf(error), { cause: error }), { code: errno });
}
