import { LockstepError, type StepEvent } from '@lockstep/core';
import type { KeptReceipts, ReceiptWriter, StepReceipt } from '@lockstep/checkpoint';
import { addTallies, emptyTally, type Tally } from '@lockstep/reduction';
import { epochOfVersion, type RunPlan } from '@lockstep/scheduling';
import type { FinishedStep } from '@lockstep/transport';
import { Throughput } from './throughput.ts';

/** Means over an epoch's samples as seen while training, and the speed of the run so far. */
export interface EpochSummary {
  readonly loss: number;
  readonly accuracy: number;
  readonly elapsedSeconds: number;
  readonly examplesPerSecond: number;
}

/** Examples applied, steps made, and the seconds from the first step's start to the last one's end. */
export interface RunTotals {
  readonly trainExamples: number;
  readonly steps: number;
  readonly trainSeconds: number;
}

/** After a return to a checkpoint no more steps than these are compared with what they were before. */
const LOSS_SUMS_KEPT = 65_536;

/** What the run has done so far: a receipt and an event a step, each step once, and sums over epochs and the run. */
export class RunRecord {
  readonly #plan: RunPlan;
  readonly #receipts: Pick<ReceiptWriter, 'write'>;
  readonly #needsHash: (version: number) => boolean;
  readonly #throughput = new Throughput();
  /** Receipts in step order; the first may wait for the hash of its version. */
  readonly #pending: StepReceipt[] = [];
  readonly #hashes = new Map<number, string>();
  readonly #epochTallies = new Map<number, Tally>();
  /** Of the last steps made in this process's life, to be held against when one is made again. */
  readonly #lossSums = new Float64Array(LOSS_SUMS_KEPT);
  #firstStep = 0;
  #numSteps = 0;
  #startedMs = 0;
  #secondsBefore = 0;
  #lastStepSeconds = 0;
  #numExamples = 0;
  #examplesBefore = 0;
  #numWritten = 0;

  constructor(plan: RunPlan, receipts: Pick<ReceiptWriter, 'write'>, needsHash: (version: number) => boolean) {
    this.#plan = plan;
    this.#receipts = receipts;
    this.#needsHash = needsHash;
  }

  /** What was recorded before this process began. */
  restore({ numSteps, numExamples, epochTallies }: KeptReceipts): void {
    this.#numSteps = numSteps;
    this.#firstStep = numSteps;
    this.#numWritten = numSteps;
    this.#numExamples = numExamples;
    this.#examplesBefore = numExamples;
    for (const [epoch, tally] of epochTallies) this.#epochTallies.set(epoch, tally);
  }

  /** Steps begin, or go on, now. */
  start(secondsBefore: number): void {
    this.#startedMs = performance.timeOrigin + performance.now();
    this.#secondsBefore = secondsBefore;
    this.#lastStepSeconds = secondsBefore;
  }

  /** Steps that are made; the next one's number. */
  get numSteps(): number {
    return this.#numSteps;
  }

  /** Steps whose receipts are written. */
  get numWritten(): number {
    return this.#numWritten;
  }

  get totals(): RunTotals {
    return { trainExamples: this.#numExamples, steps: this.numSteps, trainSeconds: this.#lastStepSeconds };
  }

  /**
   * Takes a step; null where it was made before, as after a return to a checkpoint.
   * @throws LockstepError `numerics` when it was made before with another result.
   */
  finishStep({ step, numExamples, numCorrect, lossSum, numNonFinite, learningRate, workers, digests, atMs }: FinishedStep): StepEvent | null {
    if (step < this.numSteps) {
      this.#requireSame(step, lossSum);
      return null;
    }
    this.#count(step, { numExamples, numCorrect, lossSum, numNonFinite });
    const elapsedSeconds = this.#secondsBefore + Math.max(0, atMs - this.#startedMs) / 1000;
    this.#lastStepSeconds = elapsedSeconds;
    const loss = lossSum / numExamples;
    const accuracy = numCorrect / numExamples;
    this.#pending.push({
      kind: 'step', step, version: step + 1, loss, accuracy, lossSum, numCorrect, numExamples, ...(numNonFinite === 0 ? {} : { numNonFinite }),
      digests: hexOf(digests), parametersSha256: null,
    });
    this.#flushReceipts();
    return {
      event: 'step', step, epoch: epochOfVersion(this.#plan, step + 1), loss, accuracy, learningRate, numExamples, elapsedSeconds,
      examplesPerSecond: this.#throughput.add(elapsedSeconds, numExamples), workers: workers.map(({ rank, microBatches, computeMs }) => ({ rank, microBatches, computeMs })),
    };
  }

  /** The means over an epoch whose steps are all made. */
  finishEpoch(epoch: number): EpochSummary {
    const { lossSum, numCorrect, numExamples } = this.#epochTallies.get(epoch) ?? emptyTally;
    this.#epochTallies.delete(epoch);
    const elapsedSeconds = this.#lastStepSeconds;
    const seconds = elapsedSeconds - this.#secondsBefore;
    return { loss: lossSum / numExamples, accuracy: numCorrect / numExamples, elapsedSeconds, examplesPerSecond: seconds > 0 ? (this.#numExamples - this.#examplesBefore) / seconds : 0 };
  }

  /** Notes the SHA-256 of the flat vector at a version. */
  noteHash(version: number, parametersSha256: string): void {
    if (version > this.#numWritten) this.#hashes.set(version, parametersSha256);
    this.#flushReceipts();
  }

  #count(step: number, tally: Tally): void {
    if (step !== this.numSteps) throw new LockstepError('protocol', `step ${step} is made after step ${this.numSteps - 1}`);
    const epoch = epochOfVersion(this.#plan, step + 1);
    this.#numExamples += tally.numExamples;
    this.#epochTallies.set(epoch, addTallies(this.#epochTallies.get(epoch) ?? emptyTally, tally));
    this.#lossSums[step % LOSS_SUMS_KEPT] = tally.lossSum;
    this.#numSteps = step + 1;
  }

  #requireSame(step: number, lossSum: number): void {
    if (step < Math.max(this.#firstStep, this.#numSteps - LOSS_SUMS_KEPT)) return;
    const before = this.#lossSums[step % LOSS_SUMS_KEPT];
    if (Object.is(before, lossSum)) return;
    throw new LockstepError('numerics', `step ${step} was made again with loss sum ${lossSum}, the first time it was ${before}`, {
      hint: 'a device of this run does not always compute the same: lockstep verify names the micro-batch',
    });
  }

  #flushReceipts(): void {
    for (let next = this.#pending[0]; next !== undefined; next = this.#pending[0]) {
      const parametersSha256 = this.#hashes.get(next.version) ?? null;
      if (parametersSha256 === null && this.#needsHash(next.version)) return;
      this.#receipts.write({ ...next, parametersSha256 });
      this.#hashes.delete(next.version);
      this.#numWritten = next.version;
      this.#pending.shift();
    }
  }
}

/** Eight digits a digest. */
function hexOf(digests: readonly number[]): string {
  const bytes = Buffer.alloc(4 * digests.length);
  digests.forEach((digest, index) => bytes.writeUInt32BE(digest, 4 * index));
  return bytes.toString('hex');
}
