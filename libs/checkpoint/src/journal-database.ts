import { chmodSync, closeSync, openSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { LockstepError, sha256 } from '@lockstep/core';
import { z } from 'zod';
import { entryToJson, journalEntrySchema, type JournalEntry } from './journal-entries.ts';
import { damagedJournal } from './journal-error.ts';

/** In SQLite's header, so that a later format is told apart before its tables are read. */
const FORMAT_VERSION = 1;
const SMALLEST_PAGE_BYTES = 512;
const NEWER = 'a newer Lockstep may have written it: use that one';

/** Opens a journal's database, or makes it, and locks it until it is closed or its process ends. */
export function openLocked(path: string): DatabaseSync {
  makePrivate(path);
  refuseStub(path);
  const database = new DatabaseSync(path);
  try {
    // A write-ahead log: a torn last write is found by its checksums and dropped. Locked before it is first read, it needs no shared memory.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN EXCLUSIVE; COMMIT');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * The entries of a journal's database, each checked; makes the table in a new one.
 * @throws LockstepError `storage` naming the file and what is damaged or unknown.
 */
export function readEntries(path: string, database: DatabaseSync): JournalEntry[] {
  const damages = database.prepare('PRAGMA quick_check(1)').all().map((row) => String(row['quick_check'])).filter((text) => text !== 'ok');
  if (damages.length > 0) throw damagedJournal(path, damages.join());
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version === 0) makeTable(database);
  else if (version !== FORMAT_VERSION) throw new LockstepError('storage', `${path}: format version ${version}, expected ${FORMAT_VERSION}`, { hint: NEWER });
  return database.prepare('SELECT number, json, sha256 FROM entries ORDER BY number').all().map((row, index) => readEntry(path, row, index + 1));
}

/** Appends an entry; it is on the disk when the statement has run. */
export function appenderOf(database: DatabaseSync): (number: number, entry: JournalEntry) => void {
  const insert = database.prepare('INSERT INTO entries (number, json, sha256) VALUES (?, ?, ?)');
  return (number, entry) => {
    const json = entryToJson(entry);
    insert.run(number, json, checksumOf(number, json));
  };
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

/** SQLite takes a file that is too short for any page for an empty one. */
function refuseStub(path: string): void {
  const { size } = statSync(path);
  if (size > 0 && size < SMALLEST_PAGE_BYTES) throw damagedJournal(path, `it has ${size} bytes`);
}

/** In one transaction, so that a file is of no version or whole. */
function makeTable(database: DatabaseSync): void {
  database.exec(`BEGIN; CREATE TABLE entries (number INTEGER PRIMARY KEY, json TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT; PRAGMA user_version = ${FORMAT_VERSION}; COMMIT`);
}

function readEntry(path: string, { number, json, sha256: checksum }: Record<string, unknown>, expected: number): JournalEntry {
  if (number !== expected) throw damagedJournal(path, `entry ${expected} is missing`);
  if (checksum !== checksumOf(expected, String(json))) throw damagedJournal(path, `entry ${expected} does not have its checksum`);
  const { success, data, error } = journalEntrySchema.safeParse(JSON.parse(String(json)));
  if (success) return data;
  throw new LockstepError('storage', `${path}: entry ${expected} is not one that this Lockstep knows: ${z.prettifyError(error)}`, { hint: NEWER, cause: error });
}

/** Of an entry and its place: SQLite itself does not notice a changed bit within a row. */
const checksumOf = (number: number, json: string): string => sha256(`${number} ${json}`);
