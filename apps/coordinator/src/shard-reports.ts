import { stepInFlight, type WaitingShard } from '@lockstep/scheduling';
import type { BlockReference, BlockShelf, FinishedStep, ShardCoverage } from '@lockstep/transport';

/** What the step under way still lacks, over all shards. */
export interface StepCoverage {
  /** The step that the slowest shard is at. */
  readonly step: number;
  /** Micro-batches that some shard at this step lacks, in order. */
  readonly missing: readonly number[];
  /** The shards that are at it. */
  readonly behind: readonly WaitingShard[];
  /** The shards that have not told of the first step that is not known to be made. */
  readonly untold: readonly number[];
  /** Some shards have made the step already: only workers that hold its version can compute the rest. */
  readonly isSplit: boolean;
}

/** Why it is not known what the step under way lacks. */
export interface UnknownCoverage {
  readonly unknown: string;
}

export interface ShardReportsEvents {
  /** A step is complete on every shard. */
  finished(step: FinishedStep): void;
  /** The state of every shard at a version is here, in range order. */
  snapshot(version: number, states: readonly Float32Array[]): void;
}

/** Puts together what the shards of one generation tell, whatever comes twice or out of order. */
export class ShardReports {
  readonly #shards: number;
  readonly #shelf: BlockShelf;
  readonly #events: ShardReportsEvents;
  readonly #steps = new Map<number, Map<number, FinishedStep>>();
  readonly #states = new Map<number, Map<number, Float32Array>>();
  #nextStep: number;
  #nextSnapshot = 0;

  constructor(shards: number, firstStep: number, shelf: BlockShelf, events: ShardReportsEvents) {
    this.#shards = shards;
    this.#nextStep = firstStep;
    this.#shelf = shelf;
    this.#events = events;
  }

  /** The first step that is not complete on every shard, as far as they have told. */
  get nextStep(): number {
    return this.#nextStep;
  }

  /** The shards that have not told of that step. */
  get untold(): readonly number[] {
    const told = this.#steps.get(this.#nextStep);
    return Array.from({ length: this.#shards }, (_, shard) => shard).filter((shard) => told?.has(shard) !== true);
  }

  /** The figures of a step are the same on every shard; its time is the last one's. Steps are told of in order. */
  takeSteps(shard: number, steps: readonly FinishedStep[]): void {
    for (const step of steps) {
      if (step.step >= this.#nextStep) gather(this.#steps, step.step, shard, step);
    }
    for (let parts = this.#steps.get(this.#nextStep); parts?.size === this.#shards; parts = this.#steps.get(this.#nextStep)) {
      this.#steps.delete(this.#nextStep);
      this.#nextStep += 1;
      const all = [...parts.values()];
      const [first] = all;
      if (first !== undefined) this.#events.finished({ ...(parts.get(0) ?? first), atMs: Math.max(...all.map(({ atMs }) => atMs)) });
    }
  }

  takeSnapshot(shard: number, version: number, reference: Pick<BlockReference, 'sha256'> | null): void {
    const bytes = this.#shelf.take(reference?.sha256 ?? '');
    if (bytes === undefined || version < this.#nextSnapshot) return;
    const parts = gather(this.#states, version, shard, floatsOf(bytes));
    if (parts.size < this.#shards) return;
    // Hosts hand copies over in the order of their versions: what is older and not whole will not be.
    for (const older of this.#states.keys()) if (older <= version) this.#states.delete(older);
    this.#nextSnapshot = version + 1;
    this.#events.snapshot(version, Array.from({ length: this.#shards }, (_, index) => parts.get(index) ?? new Float32Array(0)));
  }
}

/** The coverage over all shards, of which each has said its own. */
export function joinCoverage(parts: ReadonlyMap<number, ShardCoverage>, untold: readonly number[]): StepCoverage | UnknownCoverage {
  const inFlight = stepInFlight([...parts.values()].map(({ missingMicroBatches, ...part }) => ({ ...part, missing: missingMicroBatches })));
  if (inFlight === null) return { unknown: 'the initial parameters have not come' };
  const { step, missing, shards: behind } = inFlight;
  return { step, missing, behind, untold, isSplit: behind.length < parts.size };
}

function gather<T>(whole: Map<number, Map<number, T>>, key: number, shard: number, part: T): ReadonlyMap<number, T> {
  const parts = whole.get(key) ?? new Map<number, T>();
  parts.set(shard, part);
  whole.set(key, parts);
  return parts;
}

function floatsOf(bytes: Uint8Array): Float32Array {
  return bytes.byteOffset % 4 === 0 ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4) : new Float32Array(bytes.slice().buffer);
}
