import { bytesOf } from '@lockstep/core';
import { ExchangeClient } from '@lockstep/transport';
import type { TreeNode } from '@lockstep/reduction';
import type { ShardRange } from '../shard-range.ts';
import { hashOf, type SyntheticRun } from './synthetic-run.ts';

export const TOKEN = 'the token of this run';

/** The most partials that a worker has in a step here. */
const SLOTS_A_STEP = 64;

export interface SyntheticWorkerOptions {
  readonly run: SyntheticRun;
  readonly rank: number;
  readonly nodes: readonly TreeNode[];
  readonly ranges: readonly ShardRange[];
  /** Called after each partial is pushed to all shards. */
  readonly onPushed?: (step: number, index: number) => void;
}

interface Connection {
  readonly address: string;
  readonly client: ExchangeClient;
  isOpen: boolean;
}

/**
 * A worker without a model: its gradients are the run's. It computes the step of the newest version that all shards have
 * sent, holds the partials of its step, and sends them again to a shard that it connects to anew.
 */
export class SyntheticWorker implements Disposable {
  /** By shard, the hash of each version that has arrived. */
  readonly versions: readonly Map<number, string>[];
  readonly lost: string[] = [];
  readonly #options: SyntheticWorkerOptions;
  readonly #connections: (Connection | null)[];
  readonly #newest: number[];
  #step = -1;
  #held: readonly { readonly node: TreeNode; readonly slot: number }[] = [];
  #waiting: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];
  #closed = false;

  constructor(options: SyntheticWorkerOptions) {
    this.#options = options;
    this.#connections = options.ranges.map(() => null);
    this.versions = options.ranges.map(() => new Map());
    this.#newest = options.ranges.map(() => -1);
  }

  /** Connects to the shards whose address is another than before; an address '' means nowhere. */
  connect(addresses: readonly string[]): this {
    addresses.forEach((address, shard) => {
      if (this.#connections[shard]?.address === address) return;
      this.#connections[shard]?.client.close();
      this.#connections[shard] = address === '' ? null : this.#open(shard, address);
    });
    return this;
  }

  /** Resolves when every shard has sent this version, or a newer one. */
  async reached(version: number): Promise<void> {
    const holds = (): boolean => this.#newest.every((newest) => newest >= version);
    if (!holds()) await new Promise<void>((resolve) => this.#waiting.push({ holds, resolve }));
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const connection of this.#connections) connection?.client.close();
  }

  #open(shard: number, address: string): Connection {
    const { run, rank, ranges } = this.#options;
    const { from, to } = ranges[shard]!;
    const parameters = new Float32Array(to - from);
    const connection: Connection = {
      address,
      isOpen: false,
      client: new ExchangeClient({
        role: 'worker',
        rank, address, token: TOKEN, length: to - from,
        initial: () => run.initial.subarray(from, to),
        versions: { bytes: parameters.byteLength, reserve: () => bytesOf(parameters), commit: (version) => this.#arrive(shard, version, parameters), abandon: () => undefined },
        onOpen: () => {
          connection.isOpen = true;
          this.#held.forEach(({ node, slot }) => this.#push(connection, shard, node, slot));
        },
        onLost: (error) => this.#lose(shard, connection, error.message),
      }),
    };
    return connection;
  }

  #lose(shard: number, connection: Connection, message: string): void {
    this.lost.push(message);
    setImmediate(() => {
      if (!this.#closed && this.#connections[shard] === connection) this.#connections[shard] = this.#open(shard, connection.address);
    });
  }

  #arrive(shard: number, version: number, parameters: Float32Array): void {
    const hash = hashOf(parameters);
    const known = this.versions[shard]!.get(version);
    if (known !== undefined && known !== hash) throw new Error(`version ${version} of shard ${shard} has two contents`);
    this.versions[shard]!.set(version, hash);
    this.#newest[shard] = version;
    this.#waiting = this.#waiting.filter(({ holds, resolve }) => {
      if (!holds()) return true;
      resolve();
      return false;
    });
    const oldest = Math.min(...this.#newest);
    if (this.#newest.every((newest) => newest === oldest) && oldest > this.#step && oldest < this.#options.run.options.totalSteps) this.#begin(oldest);
  }

  #begin(step: number): void {
    this.#step = step;
    this.#held = [];
    this.#options.nodes.forEach((node, index) => {
      const held = { node, slot: (step % 2) * SLOTS_A_STEP + index };
      this.#held = [...this.#held, held];
      this.#connections.forEach((connection, shard) => {
        if (connection?.isOpen === true) this.#push(connection, shard, held.node, held.slot);
      });
      this.#options.onPushed?.(step, index);
    });
  }

  #push({ client }: Connection, shard: number, node: TreeNode, slot: number): void {
    const { run, ranges } = this.#options;
    const { slice, tally } = run.partial(this.#step, node, ranges[shard]!);
    client.push({ step: this.#step, node, tally, shares: [{ rank: this.#options.rank, microBatches: 2 ** node.level, computeMs: 1 }], digests: run.digests(this.#step, node) }, slot, slice);
  }
}
