import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesOf } from '@lockstep/core';
import type { ShardRange } from '@lockstep/parameter-server';
import { createKernels, TreeReduction, type Kernels, type Vector } from '@lockstep/reduction';
import { ExchangeServer, type ArrivedPartial, type PartialIntake, type ShardEndpoint__Output, type ShardPort } from '@lockstep/transport';
import { Change } from '../change.ts';

export const TOKEN = 'the-run';

export interface LocalShardOptions extends ShardRange {
  readonly microBatches: number;
  /** What it begins with; null: it asks a worker. */
  readonly start: { readonly version: number; readonly parameters: Float32Array } | null;
}

/** A shard behind a real Exchange server, whose rule is `version t+1 = version t + sum of the step's partials`. */
export class LocalShard implements ShardPort, AsyncDisposable {
  readonly length: number;
  readonly announcements = null;
  readonly partials: ArrivedPartial[] = [];
  readonly endpoint: ShardEndpoint__Output;
  readonly #directory: string;
  readonly #server: ExchangeServer;
  readonly #kernels: Kernels = createKernels();
  readonly #reduction: TreeReduction<Vector>;
  readonly #arriving = new Map<Uint8Array, Vector>();
  readonly #change = new Change();
  parameters: Float32Array;
  version: number;
  /** Streams that ended. */
  numEnded = 0;
  /** While false, complete steps make no version. */
  isMaking = true;

  private constructor({ from, to, microBatches, start }: LocalShardOptions) {
    this.length = to - from;
    this.version = start?.version ?? -1;
    this.parameters = start?.parameters.slice(from, to) ?? new Float32Array(this.length);
    this.#directory = mkdtempSync(join(tmpdir(), 'worker-spec-'));
    this.endpoint = { unixAddress: `unix:${join(this.#directory, 'shard.sock')}`, tcpAddress: '', from, to };
    this.#reduction = new TreeReduction<Vector>(microBatches, {
      merge: (left, right) => {
        this.#kernels.add(left, right);
        this.#kernels.release(right);
        return left;
      },
      release: (vector) => this.#kernels.release(vector),
    });
    this.#server = new ExchangeServer(this, { accept: () => { throw new Error('no peers here'); } }, {
      token: TOKEN, sharedMemory: true, serving: true, failureDetectionMs: 10_000,
      onStreamEnd: () => {
        this.numEnded += 1;
        this.#change.notify();
      },
    });
    if (start !== null) this.#server.publish(this.version, bytesOf(this.parameters));
  }

  static async start(options: LocalShardOptions): Promise<LocalShard> {
    const shard = new LocalShard(options);
    await shard.#server.listen([shard.endpoint.unixAddress]);
    return shard;
  }

  get needsInitial(): boolean {
    return this.version === -1;
  }

  async until(holds: (shard: LocalShard) => boolean): Promise<void> {
    while (!holds(this)) await this.#change.next(AbortSignal.timeout(10_000));
  }

  /** Makes versions of what has come. */
  make(): void {
    this.isMaking = true;
    const root = this.#reduction.root;
    if (root === undefined) return;
    this.parameters = this.parameters.map((value, index) => value + (root.data[index] ?? 0));
    this.#reduction.clear();
    this.#publish(this.version + 1);
  }

  partialBytes(): number {
    return this.length * 4;
  }

  receive(_rank: number, partial: ArrivedPartial): PartialIntake | null {
    const { step, node } = partial;
    if (step !== this.version || this.#reduction.covers(node)) return null;
    const destination = this.#lend();
    let received = 0;
    return {
      take: (count, read) => {
        if (!read(received, destination.subarray(received, received + count))) return false;
        received += count;
        if (received === destination.length) this.#add(partial, this.#take(destination));
        return true;
      },
      abandon: () => this.#kernels.release(this.#take(destination)),
    };
  }

  reserveInitial(): Uint8Array | null {
    return this.needsInitial ? this.#lend() : null;
  }

  commitInitial(destination: Uint8Array): void {
    this.parameters = this.#take(destination).data.slice();
    this.#publish(0);
  }

  abandonInitial(destination: Uint8Array): void {
    this.#kernels.release(this.#take(destination));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #add(partial: ArrivedPartial, sum: Vector): void {
    this.partials.push(partial);
    this.#reduction.add(partial.node, sum);
    if (this.isMaking) this.make();
    this.#change.notify();
  }

  #publish(version: number): void {
    this.version = version;
    this.#server.publish(version, bytesOf(this.parameters));
    this.#change.notify();
  }

  #lend(): Uint8Array {
    const vector = this.#kernels.allocate(this.length);
    const destination = bytesOf(vector.data);
    this.#arriving.set(destination, vector);
    return destination;
  }

  #take(destination: Uint8Array): Vector {
    const vector = this.#arriving.get(destination);
    if (vector === undefined) throw new Error('not lent');
    this.#arriving.delete(destination);
    return vector;
  }
}
