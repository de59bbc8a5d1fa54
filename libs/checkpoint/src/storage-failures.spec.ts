import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openReceiptWriter } from './receipt-writer.ts';
import { createRunDirectory, type RunDirectory } from './run-directory.ts';
import { saveOnSmallDisk, saveWithoutRights } from './testing/confined.ts';

let runs: string;
beforeEach(async () => { runs = await mkdtemp(join(tmpdir(), 'lockstep-storage-')); });
afterEach(() => rm(runs, { recursive: true, force: true }));

const KILOBYTE = 1024;
const FULL = expect.stringContaining('the disk is full: free space there') as string;

describe('a full disk', () => {
  it('is told of with its remedy, and leaves the checkpoints before and nothing else', async () => {
    // Of 98 KiB each.
    const failure = await saveOnSmallDisk('checkpoint', runs, 256 * KILOBYTE);
    expect(failure).toMatchObject({ code: 'storage', hint: FULL, numSaved: 2, numRead: 2 });
    expect(failure.message).toMatch(/^cannot write .*checkpoints\/step-00000003: ENOSPC/);
    expect(failure.files.filter((file) => /step|partial/.test(file))).toEqual([1, 2].flatMap((version) => [
      `checkpoints/step-0000000${version}`, `checkpoints/step-0000000${version}/manifest.json`, `checkpoints/step-0000000${version}/parameters.safetensors`,
    ]));
  });

  it('keeps every entry of the journal that was appended', async () => {
    const failure = await saveOnSmallDisk('journal', runs, 128 * KILOBYTE);
    expect(failure).toMatchObject({ code: 'storage', hint: FULL, message: expect.stringContaining('journal.sqlite') as string });
    expect(failure.numSaved).toBeGreaterThan(5);
    expect(failure.numRead).toBe(failure.numSaved);
  });

  it('keeps every receipt that was synced', async () => {
    const failure = await saveOnSmallDisk('receipts', runs, 64 * KILOBYTE);
    expect(failure).toMatchObject({ code: 'storage', hint: FULL, message: expect.stringContaining('receipts.jsonl: ENOSPC') as string });
    expect(failure.numSaved).toBeGreaterThan(5);
    expect(failure.numRead).toBe(failure.numSaved);
  });

  it('ends every later write of receipts with the same reason', async () => {
    const { writer } = await openReceiptWriter('/dev/full', { resumeAt: null, stepsPerEpoch: 1 });
    writer.write({ kind: 'end', version: 0, parametersSha256: '' });
    await expect(writer.sync()).rejects.toMatchObject({ code: 'storage', hint: FULL });
    expect(() => { writer.write({ kind: 'end', version: 0, parametersSha256: '' }); }).toThrow('ENOSPC');
    await expect(writer.close()).rejects.toMatchObject({ code: 'storage' });
  });
});

describe('a directory that may not be written', () => {
  let run: RunDirectory;
  beforeEach(async () => {
    run = await createRunDirectory(runs, 'digits');
    await chmod(run.path, 0o555);
  });
  afterEach(() => chmod(run.path, 0o755));

  it.each([
    ['checkpoint', 'checkpoints: EACCES'],
    ['journal', 'journal.sqlite: EACCES'],
    ['receipts', 'receipts.jsonl: EACCES'],
  ] as const)('is told of with its remedy: %s', async (what, reason) => {
    const failure = await saveWithoutRights(what, runs);
    expect(failure).toMatchObject({ code: 'storage', hint: 'give the user that runs Lockstep the right to write there', numSaved: 0, files: [] });
    expect(failure.message).toContain(`cannot write ${run.path}/${reason}`);
  });

  it('is told of where only a file may not be written', async () => {
    await chmod(run.path, 0o755);
    await writeFile(run.file('receipts.jsonl'), '');
    await chmod(run.file('receipts.jsonl'), 0o444);
    expect(await saveWithoutRights('receipts', runs)).toMatchObject({ code: 'storage', message: expect.stringContaining('receipts.jsonl: EACCES') as string });
  });
});

it('a file where a directory belongs is told of', async () => {
  await mkdir(join(runs, 'digits'));
  await writeFile(join(runs, 'digits', 'checkpoints'), '');
  expect(await saveWithoutRights('checkpoint', runs)).toMatchObject({ code: 'storage', message: expect.stringContaining('checkpoints: EEXIST') as string, files: ['checkpoints'] });
});
