import { truncate } from 'node:fs/promises';
import { LockstepError } from '@lockstep/core';
import { addTallies, emptyTally, type Tally } from '@lockstep/reduction';
import { readPlacedReceipts } from './receipt-reader.ts';
import type { ReceiptLine, StepReceipt } from './receipts.ts';
import { storageError } from './storage-error.ts';

/** What the receipts that a resumed run keeps say of it. */
export interface KeptReceipts {
  /** Whether the first line, which says what the run is, is there. */
  readonly hasRun: boolean;
  /** Steps 0 up to, not including, this; less than the version resumed at where lines are missing. */
  readonly numSteps: number;
  readonly numExamples: number;
  /** Of the steps of each epoch, added in order. */
  readonly epochTallies: ReadonlyMap<number, Tally>;
}

export const nothingKept = (): Summing => ({ hasRun: false, numSteps: 0, numExamples: 0, epochTallies: new Map() });

/**
 * Cuts off a receipts file, in place, what comes after a version (`end`: only a torn last line) and sums up what is kept.
 * A file that is not there has nothing to keep.
 * @throws LockstepError `storage` naming file and line of a damaged record among those to keep.
 */
export async function cutReceipts(path: string, resumeAt: number | 'end', stepsPerEpoch: number): Promise<KeptReceipts> {
  const last = resumeAt === 'end' ? Infinity : resumeAt;
  let kept = nothingKept();
  let keptBytes = 0;
  try {
    for await (const { receipt, line, endByte } of readPlacedReceipts(path)) {
      if (!isKept(receipt, last)) break;
      kept = withReceipt(kept, receipt, stepsPerEpoch, `${path}:${line}`);
      keptBytes = endByte;
      // What is cut off is not even read: it may be damaged.
      if (kept.numSteps === last) break;
    }
  } catch (error) {
    if (error instanceof LockstepError && error.code === 'not-found') return nothingKept();
    throw error;
  }
  await truncate(path, keptBytes).catch((cause: unknown) => { throw storageError(`cannot write ${path}`, cause); });
  return kept;
}

function isKept(receipt: ReceiptLine, last: number): boolean {
  switch (receipt.kind) {
    case 'run': return true;
    case 'step': return receipt.version <= last;
    case 'end': return last === Infinity;
    case 'torn': return false;
  }
}

/** While it is summed up. */
interface Summing extends KeptReceipts {
  readonly epochTallies: Map<number, Tally>;
}

function withReceipt(kept: Summing, receipt: ReceiptLine, stepsPerEpoch: number, place: string): Summing {
  if (receipt.kind === 'run') return { ...kept, hasRun: true };
  return receipt.kind === 'step' ? withStep(kept, receipt, stepsPerEpoch, place) : kept;
}

function withStep(kept: Summing, receipt: StepReceipt, stepsPerEpoch: number, place: string): Summing {
  const { step, numExamples, numCorrect, lossSum, numNonFinite = 0 } = receipt;
  if (step !== kept.numSteps) throw new LockstepError('storage', `${place}: step ${step}, expected ${kept.numSteps}`);
  const epoch = Math.floor(step / stepsPerEpoch);
  const tally = addTallies(kept.epochTallies.get(epoch) ?? emptyTally, { numExamples, numCorrect, lossSum, numNonFinite });
  kept.epochTallies.set(epoch, tally);
  return { ...kept, numSteps: step + 1, numExamples: kept.numExamples + numExamples };
}
