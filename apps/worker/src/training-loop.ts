import type { LockstepError, ParameterLayout, RunConfig } from '@lockstep/core';
import { isCompressed, type TreeNode } from '@lockstep/reduction';
import { microBatchesIn } from '@lockstep/scheduling';
import type { PlacementMessage } from '@lockstep/transport';
import { Change } from './change.ts';
import { CurrentAssignment } from './current-assignment.ts';
import type { EngineHandle, PartialMessage } from './engine-handle.ts';
import { PARTIALS_A_STEP, type AnnouncedNodes, type HeldPartial } from './held-partial.ts';
import { versionPorts } from './rounded-versions.ts';
import { ShardLinks } from './shard-links.ts';
import { VersionAssembly, type CompleteVersion } from './version-assembly.ts';

export interface TrainingLoopOptions {
  readonly rank: number;
  /** Where this worker joined its coordinator. */
  readonly joined: string;
  readonly engine: Pick<EngineHandle, 'compute' | 'interrupt' | 'wait'>;
  readonly layout: ParameterLayout;
  readonly initial: Float32Array;
  readonly config: Pick<RunConfig, 'wire' | 'parameterWire'>;
  readonly onShardBroken: (shard: number, error: LockstepError, attempt: number) => void;
}

/** The shards from one return to a checkpoint to the next. */
interface Generation {
  readonly versions: VersionAssembly;
  readonly shards: ShardLinks;
  readonly over: AbortController;
}

interface CurrentStep {
  readonly step: number;
  readonly parameters: Float32Array;
  /** The micro-batches that this worker has computed. */
  readonly done: Set<number>;
  readonly versions: VersionAssembly;
}

/** A worker's part of the training: it follows the shards, wherever they are, from version to version. */
export class TrainingLoop {
  readonly assignment: CurrentAssignment;
  readonly #options: TrainingLoopOptions;
  readonly #change = new Change();
  #placement: PlacementMessage | null = null;
  #generation: Generation | null = null;
  /** The partials of the current step, which stay in the engine's memory until the next begins. */
  #held: HeldPartial[] = [];
  /** What is being computed now. */
  #announced: AnnouncedNodes | null = null;
  #step = 0;
  #newestMs = -Infinity;

  constructor(options: TrainingLoopOptions) {
    this.#options = options;
    this.assignment = new CurrentAssignment(() => this.#change.notify());
  }

  /** The step that the worker is at. */
  get step(): number {
    return this.#step;
  }

  /** When the newest version came, on the clock of `performance.now()`. */
  get newestMs(): number {
    return this.#newestMs;
  }

  /** The shards are there now; in a new generation they have gone back to a checkpoint, and steps come again. */
  place(placement: PlacementMessage): void {
    const last = this.#placement;
    if (last !== null && isOlder(placement, last)) return;
    this.#placement = placement;
    if (placement.generation !== last?.generation) this.#beginGeneration(placement);
    this.#generation?.shards.place(placement);
  }

  /** A partial of the current step is computed: keeps it, and sends each shard its slice. */
  takePartial({ step, node, tally, computeMs, digests, sum, wire }: PartialMessage): void {
    const partial = { header: { step, node, tally, digests, shares: [{ rank: this.#options.rank, microBatches: 2 ** node.level, computeMs }] }, slot: (step % 2) * PARTIALS_A_STEP + this.#held.length, sum, wire };
    this.#held.push(partial);
    this.#generation?.shards.push(partial);
  }

  /** Trains until the signal; rejects with its reason, or where the engine fails. */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      const generation = this.#generation;
      if (generation === null) await this.#change.next(signal);
      else await this.#train(generation, AbortSignal.any([signal, generation.over.signal])).catch((error: unknown) => {
        if (signal.aborted || !generation.over.signal.aborted) throw error;
      });
    }
  }

  close(): void {
    this.#generation?.shards.close();
  }

  /** The lockstep: version t → gradients of this worker's nodes → push → version t+1. */
  async #train({ versions }: Generation, signal: AbortSignal): Promise<never> {
    for (let next = 0; ;) {
      const { version: step, parameters } = await this.#version(versions, next, signal);
      const done = this.#beginStep(step);
      while (!versions.hasNewerThan(step)) {
        const nodes = this.assignment.todo(step, done);
        if (nodes.length === 0) await this.#change.next(signal);
        else await this.#compute(nodes, { step, parameters, done, versions });
        signal.throwIfAborted();
      }
      next = step + 1;
    }
  }

  /** The newest version from `atLeast` on, as soon as all its ranges are there. */
  async #version(versions: VersionAssembly, atLeast: number, signal: AbortSignal): Promise<CompleteVersion> {
    for (;;) {
      const version = versions.take(atLeast);
      if (version !== null) return version;
      await this.#change.next(signal);
    }
  }

  /** The micro-batches that are done: none yet. */
  #beginStep(step: number): Set<number> {
    this.#step = step;
    this.#held = [];
    this.#announced = null;
    return new Set();
  }

  /** Partials are pushed as they come. */
  async #compute(nodes: readonly TreeNode[], { step, parameters, done, versions }: CurrentStep): Promise<void> {
    const { engine } = this.#options;
    this.#announced = { step, nodes };
    this.#generation?.shards.announce(this.#announced);
    await engine.compute({ step, begins: done.size === 0, nodes, parameters });
    versions.markLoaded();
    for (const microBatch of microBatchesIn(nodes)) done.add(microBatch);
    // Once this turn's frames have left: their sending must not compete for a core with the engine's preparing.
    setImmediate(() => engine.wait(step + 1, this.assignment.standingAt(step + 1)[0]));
  }

  #beginGeneration({ shards }: PlacementMessage): void {
    const { rank, joined, layout, initial, config, engine, onShardBroken } = this.#options;
    if (this.#generation !== null) {
      this.#generation.shards.close();
      this.#generation.over.abort();
      this.assignment.rewind(!isCompressed(config.wire));
      engine.interrupt();
      this.#held = [];
      this.#announced = null;
    }
    const versions = new VersionAssembly(layout.totalLength, shards.length, () => {
      this.#newestMs = performance.now();
      engine.interrupt();
      this.#change.notify();
    });
    const links = new ShardLinks({
      rank, joined, initial, versionPort: versionPorts(versions, layout.trainableLength, config.parameterWire), trainableLength: layout.trainableLength, held: () => this.#held, announced: () => this.#announced, onBroken: onShardBroken,
    });
    this.#generation = { versions, shards: links, over: new AbortController() };
    this.#change.notify();
  }
}

function isOlder(placement: PlacementMessage, than: PlacementMessage): boolean {
  return placement.generation < than.generation || (placement.generation === than.generation && placement.number < than.number);
}
