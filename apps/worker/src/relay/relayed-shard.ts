import { bytesOf, LockstepError } from '@lockstep/core';
import { trainableIn, type ShardRange } from '@lockstep/parameter-server';
import { addTallies, createVectorCodec, encodedBytes, isTreeNode, RelayReduction, type Bytes, type Kernels, type TreeNode, type Vector, type VectorCodec } from '@lockstep/reduction';
import { ExchangeServer, type AnnouncementPort, type ArrivedPartial, type PartialIntake, type PushedPartial, type ShardEndpoint__Output, type ShardPort, type WorkerShare } from '@lockstep/transport';
import { PARTIALS_A_STEP, type HeldPartial } from '../held-partial.ts';
import { shardAddress } from '../shard-address.ts';
import { ShardLink } from '../shard-link.ts';
import { RelayedVersions } from './relayed-versions.ts';
import type { RelaySettings } from './relay-messages.ts';
import { WholeIntake } from './whole-intake.ts';

/** A partial waits for its sibling as long as it took to compute, or as the last step took, but at least so long. */
const LEAST_PATIENCE_MS = 20;

interface HostSum extends Pick<PushedPartial, 'tally' | 'digests' | 'shares'> {
  readonly vector: Vector;
}

/** A sum that was passed on, and its memory. */
interface Passed extends HeldPartial {
  readonly release: () => void;
}

export interface RelayedShardOptions extends RelaySettings {
  readonly shard: number;
  readonly token: string;
  readonly kernels: Kernels;
  readonly onNote: (message: string) => void;
}

/**
 * What stands for a remote shard on a host with several workers: it adds up along the tree what they push, so that each
 * micro-batch range crosses the network once a host and not once a worker, and shows them the versions, which come once too.
 * What it lacks when a worker or it itself is lost the shard lacks too, and it is computed again.
 */
export class RelayedShard implements ShardPort, AnnouncementPort {
  readonly length: number;
  readonly #encodedBytes: number;
  readonly needsInitial = false;
  readonly #options: RelayedShardOptions;
  readonly #kernels: Kernels;
  readonly #codec: VectorCodec;
  readonly #reduction: RelayReduction<HostSum>;
  readonly #server: ExchangeServer;
  readonly #versions: RelayedVersions;
  #endpoint: ShardEndpoint__Output;
  #link: ShardLink;
  #version = -1;
  /** When the step began, and how long the one before took. */
  #sinceMs = 0;
  #lastStepMs = 0;
  #passed: Passed[] = [];
  #patience: NodeJS.Timeout | null = null;

  constructor(endpoint: ShardEndpoint__Output, options: RelayedShardOptions) {
    const { kernels, wire, parameterWire, trainableLength, microBatches, token, sharedMemory, failureDetectionMs } = options;
    const range: ShardRange = { from: endpoint.from, to: endpoint.to };
    const trainable = trainableIn({ range, trainableLength });
    this.#options = options;
    this.#kernels = kernels;
    this.#endpoint = endpoint;
    this.length = range.to - range.from;
    this.#codec = createVectorCodec(kernels, kernels.wireFormats[wire], trainable);
    this.#encodedBytes = this.#codec.bytesFor(this.length);
    this.#reduction = new RelayReduction<HostSum>(microBatches, {
      merge: (left, right) => this.#merge(left, right),
      release: ({ vector }) => kernels.release(vector),
    }, (node, sum) => this.#pass(node, sum));
    this.#server = new ExchangeServer(this, { accept: () => refusePeer(options.shard) }, {
      token, sharedMemory, failureDetectionMs, serving: false,
      onStreamEnd: ({ rank, fault }) => {
        if (fault !== null) options.onNote(`the relay to shard ${options.shard} ended the stream of worker ${rank ?? '?'}: ${fault.message}`);
      },
    });
    this.#versions = new RelayedVersions(encodedBytes(parameterWire, trainable)(this.length), (version, parameters) => this.#begin(version, parameters));
    this.#link = this.#connect();
  }

  get announcements(): AnnouncementPort {
    return this;
  }

  async listen(address: string): Promise<void> {
    await this.#server.listen([address]);
  }

  /** The shard is there now. */
  place(endpoint: ShardEndpoint__Output): void {
    const { unixAddress, tcpAddress } = this.#endpoint;
    if (endpoint.unixAddress === unixAddress && endpoint.tcpAddress === tcpAddress) return;
    this.#endpoint = endpoint;
    this.#link.close();
    this.#link = this.#connect();
  }

  async close(): Promise<void> {
    this.#stopWaiting();
    this.#link.close();
    await this.#server.close();
  }

  partialBytes(): number {
    return this.#encodedBytes;
  }

  receive(rank: number, partial: ArrivedPartial): PartialIntake | null {
    const { step, node } = partial;
    if (!isTreeNode(node, this.#options.microBatches)) throw new LockstepError('protocol', `worker ${rank} sent node (${node.level}, ${node.index}) of a tree over ${this.#options.microBatches} micro-batches`);
    // The worker had the version from the shard itself before: it comes again when this has it too.
    if (step > this.#version) throw new LockstepError('protocol', `worker ${rank} sent step ${step}, the relay has version ${this.#version}`);
    if (!this.#wants(partial)) return null;
    const vector = this.#kernels.allocate(this.length);
    const encoded = this.#options.wire === 'float32' ? null : this.#kernels.allocateBytes(this.#encodedBytes);
    const whole = (): void => this.#add(partial, this.#decoded(vector, encoded));
    return new WholeIntake(encoded?.data ?? bytesOf(vector.data), whole, () => {
      this.#kernels.release(vector);
      if (encoded !== null) this.#kernels.releaseBytes(encoded);
    });
  }

  announced(rank: number, step: number, nodes: readonly TreeNode[]): void {
    const { microBatches } = this.#options;
    if (step === this.#version) this.#reduction.announce(rank, nodes.filter((node) => isTreeNode(node, microBatches)));
  }

  gone(rank: number): void {
    this.#reduction.forget(rank);
  }

  reserveInitial(): null {
    return null;
  }

  commitInitial(): void {
    return undefined;
  }

  abandonInitial(): void {
    return undefined;
  }

  #connect(): ShardLink {
    const { rank, joined, token, shard, onNote } = this.#options;
    return new ShardLink({
      role: 'relay', rank, token,
      address: () => shardAddress(this.#endpoint, joined),
      length: this.length,
      versions: this.#versions,
      initial: () => {
        throw new LockstepError('protocol', `shard ${shard} asked a relay for initial parameters`);
      },
      sliceOf: ({ sum }) => sum,
      held: () => this.#passed,
      announced: () => null,
      onBroken: (error, attempt) => {
        if (attempt === 0) onNote(`the relay to shard ${shard}: ${error.message}; connecting again`);
      },
    });
  }

  /** A version is whole: the step on it begins, and that before is over. */
  #begin(version: number, parameters: Uint8Array): void {
    const isFirst = this.#version === -1;
    this.#stopWaiting();
    this.#reduction.clear();
    for (const { release } of this.#passed.splice(0)) release();
    const nowMs = performance.now();
    this.#lastStepMs = isFirst ? 0 : nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
    this.#version = version;
    this.#server.publish(version, parameters);
    if (isFirst) this.#server.serve();
  }

  #wants({ step, node }: ArrivedPartial): boolean {
    return step === this.#version && !this.#reduction.covers(node);
  }

  #decoded(vector: Vector, encoded: Bytes | null): Vector {
    if (encoded === null) return vector;
    this.#codec.decode(encoded, vector);
    this.#kernels.releaseBytes(encoded);
    return vector;
  }

  #add(partial: ArrivedPartial, vector: Vector): void {
    if (!this.#wants(partial)) return this.#kernels.release(vector);
    const { node, tally, digests, shares } = partial;
    this.#reduction.add(node, { vector, tally, digests: [...digests], shares });
    const tookMs = shares.reduce((sum, { computeMs }) => sum + computeMs, 0);
    if (this.#reduction.isHolding) this.#patience ??= setTimeout(() => this.#reduction.hurry(), Math.max(LEAST_PATIENCE_MS, tookMs, this.#lastStepMs));
  }

  #stopWaiting(): void {
    if (this.#patience !== null) clearTimeout(this.#patience);
    this.#patience = null;
  }

  #merge(left: HostSum, right: HostSum): HostSum {
    this.#codec.merge(left.vector, right.vector);
    this.#kernels.release(right.vector);
    return { vector: left.vector, tally: addTallies(left.tally, right.tally), digests: [...left.digests as number[], ...right.digests as number[]], shares: joined(left.shares, right.shares) };
  }

  #pass(node: TreeNode, { vector, ...details }: HostSum): void {
    const { sum, release } = this.#onTheWire(vector);
    const slot = (this.#version % 2) * PARTIALS_A_STEP + this.#passed.length;
    const passed = { header: { step: this.#version, node, ...details }, slot, sum, wire: this.#options.wire, release };
    this.#passed.push(passed);
    this.#link.push(passed);
  }

  #onTheWire(vector: Vector): { readonly sum: Uint8Array; readonly release: () => void } {
    if (this.#options.wire === 'float32') return { sum: bytesOf(vector.data), release: () => this.#kernels.release(vector) };
    const encoded = this.#kernels.allocateBytes(this.#encodedBytes);
    this.#codec.encode(vector, encoded);
    this.#kernels.release(vector);
    return { sum: encoded.data, release: () => this.#kernels.releaseBytes(encoded) };
  }
}

function refusePeer(shard: number): never {
  throw new LockstepError('protocol', `this is a relay to shard ${shard}, not the shard`);
}

/** Whose work is in the sum of both, a worker once. */
function joined(left: readonly WorkerShare[], right: readonly WorkerShare[]): WorkerShare[] {
  const shares = new Map<number, WorkerShare>();
  for (const { rank, microBatches, computeMs } of [...left, ...right]) {
    const share = shares.get(rank);
    shares.set(rank, { rank, microBatches: microBatches + (share?.microBatches ?? 0), computeMs: computeMs + (share?.computeMs ?? 0) });
  }
  return [...shares.values()];
}
