import { Worker } from 'node:worker_threads';
import { assertNever, LockstepError } from '@lockstep/core';
import { clippingFactor } from '@lockstep/reduction';
import type { FinishedStep, ShardPlan } from './shard.ts';
import type { ShardCommand, ShardMessage, ShardThreadData, SnapshotPlan, TimedStep } from './shard-messages.ts';
import { cutIntoShards, type ShardRange } from './shard-range.ts';

export interface EmbeddedShardsOptions {
  readonly plan: Omit<ShardPlan, 'range'>;
  /** Elements of the whole vector. */
  readonly totalLength: number;
  readonly shards: number;
  /** Where shard `i` listens. */
  readonly listenOn: (shard: number) => readonly string[];
  readonly sharedMemory: boolean;
  readonly snapshots: SnapshotPlan;
  /** A step is complete on every shard, since `atMs` (milliseconds since 1970, with fractions); told up to 50 ms later, in order. */
  readonly onFinished: (finished: FinishedStep, atMs: number) => void;
  /** A copy of the whole vector at a version. */
  readonly onSnapshot: (version: number, parameters: Float32Array) => void;
  readonly onFault: (error: LockstepError) => void;
}

export interface HostedShard {
  readonly range: ShardRange;
  readonly addresses: readonly string[];
}

/** The shards that the coordinator's process hosts, a thread each. */
export class EmbeddedShards {
  readonly #options: EmbeddedShardsOptions;
  readonly #ranges: readonly ShardRange[];
  readonly #threads: readonly Worker[];
  readonly #exits: readonly Promise<void>[];
  readonly #listening: readonly PromiseWithResolvers<readonly string[]>[];
  readonly #finished = new Gathering<TimedStep>();
  readonly #norms = new Gathering<Float64Array>();
  readonly #snapshots = new Gathering<Float32Array>();
  #closing = false;

  constructor(options: EmbeddedShardsOptions) {
    this.#options = options;
    this.#ranges = cutIntoShards(options.totalLength, options.shards);
    this.#listening = this.#ranges.map(() => Promise.withResolvers<readonly string[]>());
    this.#threads = this.#ranges.map((range, shard) => this.#start(range, shard));
    this.#exits = this.#threads.map((thread) => new Promise((resolve) => thread.once('exit', () => resolve())));
  }

  /** Resolves when every shard listens, with their ranges and addresses in range order. */
  async listening(): Promise<HostedShard[]> {
    const addresses = await Promise.all(this.#listening.map(({ promise }) => promise));
    return this.#ranges.map((range, shard) => ({ range, addresses: addresses[shard] ?? [] }));
  }

  /** Resolves when all threads have ended, those too that had failed before. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#command({ kind: 'close' });
    await Promise.all(this.#exits);
  }

  #start(range: ShardRange, shard: number): Worker {
    const { plan, listenOn, sharedMemory, snapshots } = this.#options;
    const data: ShardThreadData = { plan: { ...plan, range }, listenOn: listenOn(shard), sharedMemory, snapshots };
    const thread = new Worker(new URL('./shard-thread.ts', import.meta.url), { workerData: data });
    thread.on('message', (message: ShardMessage) => this.#take(shard, message));
    thread.on('error', (error) => this.#fail(shard, new LockstepError('protocol', `shard ${shard} failed: ${error.message}`, { cause: error })));
    thread.on('exit', () => {
      if (!this.#closing) this.#fail(shard, new LockstepError('worker-lost', `the thread of shard ${shard} ended`));
    });
    return thread;
  }

  #take(shard: number, message: ShardMessage): void {
    const count = this.#threads.length;
    switch (message.kind) {
      case 'listening': return this.#listening[shard]?.resolve(message.addresses);
      case 'finished': return message.steps.forEach((timed) => this.#finished.add(timed.finished.step, shard, count, timed, (parts) => this.#finish(parts)));
      case 'norms': return this.#norms.add(message.step, shard, count, message.blockSums, (sums) => this.#clip(sums));
      case 'snapshot': return this.#snapshots.add(message.version, shard, count, message.parameters, (parts) => {
        this.#options.onSnapshot(message.version, this.#joinParts(parts));
      });
      case 'fault': {
        return this.#fail(shard, new LockstepError(message.code, message.message, message.hint === undefined ? {} : { hint: message.hint }));
      }
      default: return assertNever(message);
    }
  }

  /** A step is finished when its last shard is. */
  #finish(parts: readonly TimedStep[]): void {
    const [first] = parts;
    if (first !== undefined) this.#options.onFinished(first.finished, Math.max(...parts.map(({ atMs }) => atMs)));
  }

  /** The norm of the whole gradient: the blocks of all shards in block order, whatever the order of arrival. */
  #clip(sums: readonly Float64Array[]): void {
    const limit = this.#options.plan.clipping.globalNorm;
    if (limit === null) return;
    const blockSums = new Float64Array(sums.reduce((length, part) => length + part.length, 0));
    let offset = 0;
    for (const part of sums) {
      blockSums.set(part, offset);
      offset += part.length;
    }
    this.#command({ kind: 'clip', factor: clippingFactor(blockSums, limit) });
  }

  #joinParts(parts: readonly Float32Array[]): Float32Array {
    if (parts.length === 1 && parts[0] !== undefined) return parts[0];
    const whole = new Float32Array(this.#options.totalLength);
    parts.forEach((part, shard) => whole.set(part, this.#ranges[shard]?.from ?? 0));
    return whole;
  }

  #command(command: ShardCommand): void {
    for (const thread of this.#threads) thread.postMessage(command);
  }

  #fail(shard: number, error: LockstepError): void {
    this.#listening[shard]?.promise.catch(() => undefined);
    this.#listening[shard]?.reject(error);
    this.#options.onFault(error);
  }
}

/** Collects one value a shard under a key and hands them on in shard order when all are there. */
class Gathering<T> {
  readonly #parts = new Map<number, T[]>();
  readonly #counts = new Map<number, number>();

  add(key: number, shard: number, shards: number, part: T, whole: (parts: readonly T[]) => void): void {
    const parts = this.#parts.get(key) ?? [];
    parts[shard] = part;
    this.#parts.set(key, parts);
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (count < shards) return;
    this.#parts.delete(key);
    this.#counts.delete(key);
    whole(parts);
  }
}
