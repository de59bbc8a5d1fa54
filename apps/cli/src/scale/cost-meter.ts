import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { medianOf, type RunEvent, type StepEvent } from '@lockstep/core';
import type { RunEventSink } from '@lockstep/telemetry';
import type { CoordinatorReport, ProcessMemory } from './scale-messages.ts';

interface Measurement {
  /** Steps are counted from here. */
  readonly fromStep: number;
  readonly toStep: number;
  begun: { readonly cpu: NodeJS.CpuUsage; readonly memory: ProcessMemory } | null;
  /** When each step ended, in seconds of the run. */
  readonly endedSeconds: number[];
  workersLost: number;
}

const PROGRESS_MS = 250;

/** What a person would see of the run is not written here: this only counts. */
export class CostMeter implements RunEventSink {
  readonly #tell: (report: CoordinatorReport) => void;
  /** The first step that each worker is a part of. */
  readonly #firstSteps = new Map<number, number>();
  readonly #awaitedRanks = new Set<number>();
  #steps = 0;
  #toldMs = 0;
  #measurement: Measurement | null = null;

  constructor(tell: (report: CoordinatorReport) => void) {
    this.#tell = tell;
  }

  write(event: RunEvent): void {
    if (event.event === 'step') this.#step(event);
    else if (event.event === 'worker' && event.state === 'lost' && this.#measurement?.begun) this.#measurement.workersLost += 1;
  }

  async close(): Promise<void> {}

  measure(warmUpSteps: number, steps: number): void {
    const fromStep = this.#steps + warmUpSteps;
    this.#measurement = { fromStep, toStep: fromStep + steps, begun: null, endedSeconds: [], workersLost: 0 };
  }

  awaitRank(rank: number): void {
    this.#awaitedRanks.add(rank);
    this.#tellAwaited();
  }

  #step(event: StepEvent): void {
    this.#steps = event.step + 1;
    for (const { rank } of event.workers) if (!this.#firstSteps.has(rank)) this.#firstSteps.set(rank, event.step);
    this.#tellAwaited();
    this.#tellProgress();
    if (this.#measurement !== null) this.#count(this.#measurement, event);
  }

  /** The collection of garbage at the begin and the end is no part of what is measured. */
  #count(measurement: Measurement, { elapsedSeconds }: StepEvent): void {
    const { fromStep, toStep, endedSeconds } = measurement;
    if (this.#steps < fromStep) return;
    measurement.begun ??= { memory: memoryOfProcess(), cpu: process.cpuUsage() };
    endedSeconds.push(elapsedSeconds);
    if (this.#steps < toStep) return;
    this.#measurement = null;
    const { user, system } = process.cpuUsage(measurement.begun.cpu);
    const steps = toStep - fromStep;
    const stepMs = endedSeconds.slice(1).map((ended, index) => 1000 * (ended - (endedSeconds[index] ?? 0)));
    this.#tell({
      kind: 'measured',
      cost: {
        steps, medianStepMs: medianOf(stepMs), cpuMsAStep: (user + system) / 1000 / steps, workersLost: measurement.workersLost,
        before: measurement.begun.memory, after: memoryOfProcess(),
      },
    });
  }

  #tellAwaited(): void {
    for (const rank of this.#awaitedRanks) {
      const step = this.#firstSteps.get(rank);
      if (step === undefined) continue;
      this.#awaitedRanks.delete(rank);
      this.#tell({ kind: 'took-part', rank, step });
    }
  }

  #tellProgress(): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < PROGRESS_MS) return;
    this.#toldMs = nowMs;
    this.#tell({ kind: 'progress', steps: this.#steps });
  }
}

function memoryOfProcess(): ProcessMemory {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { residentBytes: rss, heapBytes: heapUsed + arrayBuffers };
}
