import { readdir } from 'node:fs/promises';
import { layOutParameters, LockstepError, sha256 } from '@lockstep/core';
import { newestCheckpoint } from '../checkpoint-reader.ts';
import { writeCheckpoint } from '../checkpoint-writer.ts';
import { openJournal } from '../journal.ts';
import { readReceipts } from '../receipt-reader.ts';
import { openReceiptWriter } from '../receipt-writer.ts';
import { createRunDirectory, openRunDirectory } from '../run-directory.ts';
import type { Failure, Saved } from './confined.ts';

/** Saves something of a run again and again until that fails, and prints how, as a `Failure`. */
const MAX_SAVES = 10_000;
const [what, runs] = process.argv.slice(2) as [Saved, string];
const run = await openRunDirectory(runs, 'digits').catch(() => createRunDirectory(runs, 'digits'));
const layout = layOutParameters([{ name: 'dense/kernel', shape: [25_000], kind: 'trainable' }]);
const noProgress = { best: null, trainSeconds: 0, numExamples: 0 };

interface Saving {
  /** The first time it is called with 1. */
  save(count: number): Promise<unknown>;
  read(): Promise<number>;
}

const SAVINGS: Readonly<Record<Saved, () => Promise<Saving>>> = {
  checkpoint: async () => ({
    save: (version) => writeCheckpoint(run, {
      runId: 'run', configSha256: sha256('config'), version, epoch: 0, samplesIntoEpoch: 0, seed: 0, progress: noProgress,
      layout, parameters: new Float32Array(layout.totalLength), parametersSha256: sha256(new Uint8Array(layout.totalLength * 4)), slots: [],
    }),
    read: async () => (await newestCheckpoint(run, layout, { onSkipped: (error) => { throw error; } }))?.version ?? 0,
  }),
  journal: async () => {
    const journal = openJournal(run, { pid: process.pid, hostname: 'here' });
    return {
      save: async (version) => journal.append({ kind: 'rank', rank: version, hostname: 'here', pid: 1 }),
      read: async () => { journal.close(); return openJournal(run, { pid: process.pid, hostname: 'here' }).entries.length; },
    };
  },
  receipts: async () => {
    const path = run.file('receipts.jsonl');
    const { writer } = await openReceiptWriter(path, { resumeAt: 'end', stepsPerEpoch: 10 });
    return {
      save: (version) => {
        writer.write({ kind: 'step', step: version - 1, version, loss: 1, numExamples: 1, numCorrect: 1, lossSum: 1, digests: '0123abcd'.repeat(100), parametersSha256: null });
        return writer.sync();
      },
      read: async () => (await Array.fromAsync(readReceipts(path))).filter(({ kind }) => kind === 'step').length,
    };
  },
};

let saving: Saving | null = null;
let numSaved = 0;
try {
  saving = await SAVINGS[what]();
  for (; numSaved < MAX_SAVES; numSaved += 1) await saving.save(numSaved + 1);
  throw new Error(`saved ${MAX_SAVES} times without a failure`);
} catch (error) {
  if (!(error instanceof LockstepError)) throw error;
  const { code, message, hint } = error;
  const failure: Failure = { code, message, hint, numSaved, numRead: numSaved === 0 ? 0 : await saving!.read(), files: (await readdir(run.path, { recursive: true })).toSorted() };
  console.log(JSON.stringify(failure));
}
