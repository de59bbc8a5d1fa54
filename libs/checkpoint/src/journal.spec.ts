import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LockstepError, sha256 } from '@lockstep/core';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { entryToJson, type JournalEntry } from './journal-entries.ts';
import { openJournal } from './journal.ts';
import { createRunDirectory, openRunDirectory, type RunDirectory } from './run-directory.ts';

const holder = { pid: process.pid, hostname: 'here' };
const hash = sha256('x');
const ENTRIES: readonly JournalEntry[] = [
  { kind: 'run', formatVersion: 1, runId: 'id', token: 'secret', configSha256: hash, datasetSha256: hash },
  {
    kind: 'model', specs: [{ name: 'dense/kernel', shape: [784, 10], kind: 'trainable' }], topology: { class_name: 'Sequential', config: { layers: [1, null, 'a'] } }, frozenSha256: '',
    numerics: { engineBuild: 'tensorflow 2.21.0 cpu', device: 'cpu', gpuKind: null, intraOpThreads: 1, oneDnn: true, instructionSet: 'AVX2', deterministicOps: true },
  },
  { kind: 'rank', rank: 0, hostname: 'gpu-a', pid: 4711 },
  { kind: 'host', host: 0, hostKind: 'coordinator', hostname: 'gpu-a', pid: 4710 },
  { kind: 'placement', generation: 0, number: 1, version: 0, shards: [{ host: 0, replica: null }, { host: 1, replica: 0 }] },
  { kind: 'epoch', epoch: 0, version: 50, loss: 0.1 + 0.2, accuracy: 1 / 3, validation: { loss: 5e-324, accuracy: 1 }, elapsedSeconds: 2.5, examplesPerSecond: 1000, parametersSha256: hash, best: { epoch: 0, loss: 5e-324, version: 50 }, stop: null },
  { kind: 'epoch', epoch: 1, version: 60, loss: 1, accuracy: 0, validation: { loss: NaN, accuracy: -Infinity }, elapsedSeconds: 3, examplesPerSecond: 0, parametersSha256: hash, best: null, stop: 'patience' },
  { kind: 'end', version: 60, parametersSha256: hash },
];

let runs: string;
let run: RunDirectory;
beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), 'lockstep-journal-'));
  run = await createRunDirectory(runs, 'digits');
});
afterEach(() => rm(runs, { recursive: true, force: true }));

/** A process that opens the run's journal, appends the entries, says so, and then holds it. */
const HOLD = `
import { openJournal, openRunDirectory } from '@lockstep/checkpoint';
const [runs, entries] = process.argv.slice(1);
const journal = openJournal(await openRunDirectory(runs, 'digits'), { pid: process.pid, hostname: 'gpu-b' });
for (const entry of JSON.parse(entries)) journal.append(entry);
console.log('open');
process.stdin.resume().on('data', () => { globalThis.gc(); console.log('collected'); });`;

async function startHolder(entries: readonly JournalEntry[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', HOLD, runs, `[${entries.map(entryToJson).join()}]`], { cwd: import.meta.dirname, stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout!, 'data');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('a journal', () => {
  it('gives back its entries in order, every bit of a number', () => {
    const journal = openJournal(run, holder);
    expect(journal.entries).toEqual([]);
    for (const entry of ENTRIES) journal.append(entry);
    expect(journal.entries).toEqual(ENTRIES);
    journal.close();
    const again = openJournal(run, holder);
    expect(again.entries).toEqual(ENTRIES);
    again.close();
  });

  it('takes no entry that it could not give back', () => {
    const journal = openJournal(run, holder);
    expect(() => { journal.append({ kind: 'end', version: -1, parametersSha256: '' }); }).toThrow();
    expect(journal.entries).toEqual([]);
    journal.close();
  });

  it('is for its owner only, since it holds the token', async () => {
    openJournal(run, holder).close();
    expect((await stat(run.file('journal.sqlite'))).mode & 0o777).toBe(0o600);
  });

  it('leaves one file when it is closed', async () => {
    const journal = openJournal(run, holder);
    journal.append(ENTRIES[0]!);
    journal.close();
    expect(await readdir(run.path)).toEqual(['journal.sqlite']);
  });
});

describe('two coordinators on one run', () => {
  it('the second is told who the first is, in this process and in another', async () => {
    const journal = openJournal(run, holder);
    const refused = (pid: number, hostname: string) => expect.objectContaining({
      code: 'usage', exitCode: 2, hint: expect.stringContaining('end that one first') as string,
      message: expect.stringMatching(new RegExp(`^the run has a coordinator already: process ${pid} on ${hostname}, since 2.*Z, holds ${run.file('journal.sqlite')}$`)) as string,
    }) as Error;
    expect(() => openJournal(run, holder)).toThrow(refused(process.pid, 'here'));
    expect(() => openJournal(run, holder), 'a refusal frees no lock').toThrow(refused(process.pid, 'here'));
    journal.close();
    const child = await startHolder([]);
    expect(() => openJournal(run, holder)).toThrow(refused(child.pid!, 'gpu-b'));
    child.stdin!.write('collect garbage');
    await once(child.stdout!, 'data');
    expect(() => openJournal(run, holder), 'a garbage collection frees no lock').toThrow(refused(child.pid!, 'gpu-b'));
    await kill(child);
  });

  it('the second takes over at once when the first is killed, with every entry', async () => {
    const child = await startHolder(ENTRIES.slice(0, 5));
    await kill(child);
    const journal = openJournal(run, holder);
    expect(journal.entries).toEqual(ENTRIES.slice(0, 5));
    journal.append(ENTRIES[5]!);
    journal.close();
    expect(openJournal(run, holder).entries).toEqual(ENTRIES.slice(0, 6));
  });

  it('of several that start at once, one gets it', async () => {
    const started = await Promise.allSettled(Array.from({ length: 4 }, () => startHolderOrFail()));
    const holders = started.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
    expect(holders).toHaveLength(1);
    await kill(holders[0]!);
  });

  async function startHolderOrFail(): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', HOLD, runs, '[]'], { cwd: import.meta.dirname, stdio: ['pipe', 'pipe', 'ignore'] });
    const opened = once(child.stdout, 'data').then(() => true);
    if (await Promise.race([opened, once(child, 'exit').then(() => false)])) return child;
    throw new Error('refused');
  }
});

// Hundreds of opens, each of which syncs files: slow where the disk is busy.
describe('a journal that was cut off or damaged', { timeout: 60_000 }, () => {
  /** Opens a copy of the run whose file was changed: what entries come back, or the error. */
  async function openDamaged(file: string, damage: (path: string) => Promise<void>): Promise<readonly JournalEntry[] | LockstepError> {
    const copy = await mkdtemp(join(runs, 'copy-'));
    await cp(run.path, join(copy, 'digits'), { recursive: true });
    const damaged = await openRunDirectory(copy, 'digits');
    await damage(damaged.file(file));
    try {
      const journal = openJournal(damaged, holder);
      journal.close();
      return journal.entries;
    } catch (error) {
      expect(error).toBeInstanceOf(LockstepError);
      return error as LockstepError;
    } finally {
      await rm(copy, { recursive: true });
    }
  }

  const expectPrefixOrName = (outcome: readonly JournalEntry[] | LockstepError, what: string) => {
    if (outcome instanceof LockstepError) {
      expect(outcome, what).toMatchObject({ code: 'storage', message: expect.stringContaining('journal.sqlite') as string });
    } else {
      expect(outcome, what).toEqual(ENTRIES.slice(0, outcome.length));
    }
  };

  const cutPoints = (size: number, seed: number) => [...new Set([0, 1, size - 1, size, ...fc.sample(fc.integer({ min: 0, max: size }), { numRuns: 30, seed })])];

  it('gives the entries before the cut of its write-ahead log', async () => {
    await kill(await startHolder(ENTRIES));
    const { size } = await stat(run.file('journal.sqlite-wal'));
    const lengths = new Set<number>();
    for (const cut of cutPoints(size, 5)) {
      const outcome = await openDamaged('journal.sqlite-wal', (path) => truncate(path, cut));
      expect(outcome, `cut at ${cut} of ${size}`).toBeInstanceOf(Array);
      expectPrefixOrName(outcome, `cut at ${cut} of ${size}`);
      lengths.add((outcome as readonly JournalEntry[]).length);
    }
    expect(lengths.size).toBeGreaterThan(4);
  });

  it('gives the entries before a flipped bit of its write-ahead log', async () => {
    await kill(await startHolder(ENTRIES));
    const { size } = await stat(run.file('journal.sqlite-wal'));
    for (const at of fc.sample(fc.integer({ min: 0, max: size - 1 }), { numRuns: 25, seed: 6 })) {
      expectPrefixOrName(await openDamaged('journal.sqlite-wal', flipAt(at)), `bit flipped at ${at} of ${size}`);
    }
  });

  it('is named, or gives what came before, where its file is cut anywhere', async () => {
    writeJournal();
    const { size } = await stat(run.file('journal.sqlite'));
    for (const cut of cutPoints(size, 7)) expectPrefixOrName(await openDamaged('journal.sqlite', (path) => truncate(path, cut)), `cut at ${cut} of ${size}`);
  });

  it('is named, or gives the same entries, where any bit of its file is flipped', async () => {
    writeJournal();
    const { size } = await stat(run.file('journal.sqlite'));
    for (const at of fc.sample(fc.integer({ min: 0, max: size - 1 }), { numRuns: 50, seed: 8 })) {
      expectPrefixOrName(await openDamaged('journal.sqlite', flipAt(at)), `bit flipped at ${at} of ${size}`);
    }
  });

  it('is named where it is random bytes', async () => {
    for (const bytes of fc.sample(fc.uint8Array({ minLength: 1, maxLength: 5000 }), { numRuns: 15, seed: 9 })) {
      expect(await openDamaged('journal.sqlite', (path) => writeFile(path, bytes))).toMatchObject({ code: 'storage', hint: expect.stringContaining('put back a copy') as string });
    }
  });

  it('is named with the entry whose bits changed within its row', async () => {
    writeJournal();
    const outcome = await openDamaged('journal.sqlite', async (path) => {
      const bytes = await readFile(path);
      bytes[bytes.indexOf('gpu-a') + 4] = 'b'.charCodeAt(0);
      await writeFile(path, bytes);
    });
    expect(outcome).toMatchObject({ code: 'storage', message: expect.stringMatching(/journal\.sqlite is damaged: entry [34] does not have its checksum$/) as string });
  });

  it.each([
    ['a format version of the future', 'PRAGMA user_version = 2', 'format version 2, expected 1'],
    ['an entry of an unknown kind', `INSERT INTO entries VALUES (9, '{"kind":"teleport"}', '${sha256('9 {"kind":"teleport"}')}')`, 'entry 9 is not one that this Lockstep knows'],
    ['a missing entry', 'DELETE FROM entries WHERE number = 3', 'entry 3 is missing'],
    ['a missing table', 'DROP TABLE entries', 'no such table'],
  ])('is named where it has %s', async (_, sql, reason) => {
    writeJournal();
    const outcome = await openDamaged('journal.sqlite', async (path) => {
      const database = new DatabaseSync(path);
      database.exec(sql);
      database.close();
    });
    expect(outcome).toMatchObject({ code: 'storage', message: expect.stringContaining(reason) as string });
  });

  const flipAt = (at: number) => async (path: string) => {
    const bytes = await readFile(path);
    bytes[at]! ^= 1 << (at % 8);
    await writeFile(path, bytes);
  };

  function writeJournal(): void {
    const journal = openJournal(run, holder);
    for (const entry of ENTRIES) journal.append(entry);
    journal.close();
  }
});
