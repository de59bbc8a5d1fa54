import { sha256, bytesOf, type StepEvent } from '@lockstep/core';
import type { ReceiptWriter, StepReceipt } from '@lockstep/checkpoint';
import type { FinishedStep } from '@lockstep/parameter-server';
import { addTallies, emptyTally, type Tally } from '@lockstep/reduction';
import { epochOfVersion, type RunPlan } from '@lockstep/scheduling';
import { Throughput } from './throughput.ts';

/** Means over an epoch's samples as seen while training, and the speed of the run so far. */
export interface EpochSummary {
  readonly loss: number;
  readonly accuracy: number;
  readonly elapsedSeconds: number;
  readonly imagesPerSecond: number;
}

/** Samples applied, steps made, and the seconds from the first step's start to the last one's end. */
export interface RunTotals {
  readonly trainSamples: number;
  readonly steps: number;
  readonly trainSeconds: number;
}

/** What the run has done so far: a receipt and an event a step, and sums over epochs and the run. */
export class RunRecord {
  readonly #plan: RunPlan;
  readonly #receipts: ReceiptWriter;
  readonly #needsHash: (version: number) => boolean;
  readonly #throughput = new Throughput();
  /** Receipts in step order; the first may wait for the hash of its version. */
  readonly #pending: StepReceipt[] = [];
  readonly #hashes = new Map<number, string>();
  #startedMs = 0;
  #lastStepSeconds = 0;
  #epochTally: Tally = emptyTally;
  #numExamples = 0;
  #numSteps = 0;

  constructor(plan: RunPlan, receipts: ReceiptWriter, needsHash: (version: number) => boolean) {
    this.#plan = plan;
    this.#receipts = receipts;
    this.#needsHash = needsHash;
  }

  /** The first step begins now. */
  start(): void {
    this.#startedMs = performance.timeOrigin + performance.now();
  }

  get totals(): RunTotals {
    return { trainSamples: this.#numExamples, steps: this.#numSteps, trainSeconds: this.#lastStepSeconds };
  }

  /** Takes a step that was finished at `atMs`, in milliseconds since 1970. */
  finishStep({ step, tally, learningRate, workers }: FinishedStep, atMs: number): StepEvent {
    const elapsedSeconds = (atMs - this.#startedMs) / 1000;
    this.#lastStepSeconds = elapsedSeconds;
    this.#numExamples += tally.numExamples;
    this.#numSteps += 1;
    this.#epochTally = addTallies(this.#epochTally, tally);
    const loss = tally.lossSum / tally.numExamples;
    const accuracy = tally.numCorrect / tally.numExamples;
    const { numExamples } = tally;
    this.#pending.push({ kind: 'step', step, version: step + 1, loss, accuracy, numExamples, parametersSha256: null });
    this.#flushReceipts();
    return {
      event: 'step', step, epoch: epochOfVersion(this.#plan, step + 1), loss, accuracy, learningRate, numExamples, elapsedSeconds,
      imagesPerSecond: this.#throughput.add(elapsedSeconds, numExamples), workers,
    };
  }

  /** The means over the epoch that just ended; the next one starts. */
  finishEpoch(): EpochSummary {
    const { lossSum, numCorrect, numExamples } = this.#epochTally;
    this.#epochTally = emptyTally;
    const elapsedSeconds = this.#lastStepSeconds;
    return { loss: lossSum / numExamples, accuracy: numCorrect / numExamples, elapsedSeconds, imagesPerSecond: this.#numExamples / elapsedSeconds };
  }

  /** Notes and gives the SHA-256 of the flat vector at a version. */
  hashVersion(version: number, parameters: Float32Array): string {
    const hash = sha256(bytesOf(parameters));
    this.#hashes.set(version, hash);
    this.#flushReceipts();
    return hash;
  }

  #flushReceipts(): void {
    for (let next = this.#pending[0]; next !== undefined; next = this.#pending[0]) {
      const parametersSha256 = this.#hashes.get(next.version) ?? null;
      if (parametersSha256 === null && this.#needsHash(next.version)) return;
      this.#receipts.write({ ...next, parametersSha256 });
      this.#hashes.delete(next.version);
      this.#pending.shift();
    }
  }
}
