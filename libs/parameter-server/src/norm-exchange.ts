import { LockstepError } from '@lockstep/core';
import { clippingFactor, NORM_BLOCK } from '@lockstep/reduction';
import { checkLength, ChunkAssembly, framesOf, nearestAddress, type PeerReceiver, type ShardEndpoint__Output, type TensorFrame } from '@lockstep/transport';
import { NormPeer, type PeerIdentity } from './norm-peer.ts';
import { trainableIn, type ShardPlan } from './shard-plan.ts';
import { cutIntoShards } from './shard-range.ts';

/** A shard's sums of squares in a step, one a block of its range. */
export interface StepNorms {
  readonly step: number;
  readonly blockSums: Float64Array;
}

/** Workers are at most a step ahead of the slowest shard, so older sums are of no use to anyone. */
const KEPT_STEPS = 2;

/**
 * The sums of squares of all shards, all to all: each shard adds the blocks in block order, whatever their order of
 * arrival, so all come to the same factor. Nobody stands between them.
 */
export class NormExchange {
  readonly #plan: ShardPlan;
  readonly #identity: PeerIdentity;
  readonly #onFactor: (factor: number) => void;
  readonly #peers = new Map<number, { readonly address: string; readonly peer: NormPeer }>();
  /** By step, the sums of other shards. */
  readonly #received = new Map<number, Map<number, Float64Array>>();
  #own: StepNorms[] = [];
  #waiting: number | null = null;

  constructor(plan: ShardPlan, identity: PeerIdentity, onFactor: (factor: number) => void) {
    this.#plan = plan;
    this.#identity = identity;
    this.#onFactor = onFactor;
  }

  /** This shard's sums of the last steps. */
  get own(): readonly StepNorms[] {
    return this.#own;
  }

  /** The shards whose sums the step that waits lacks. */
  get awaited(): readonly number[] {
    const received = this.#received.get(this.#waiting ?? -1);
    return [...this.#peers.keys()].filter((shard) => !received?.has(shard)).toSorted((a, b) => a - b);
  }

  /** Connects to the shards that have moved; they are sent the last sums again. */
  connect(endpoints: readonly ShardEndpoint__Output[]): void {
    if (this.#plan.clipping.globalNorm === null) return;
    endpoints.forEach((endpoint, shard) => {
      const address = nearestAddress(endpoint);
      const known = this.#peers.get(shard);
      if (shard === this.#plan.shard || known?.address === address) return;
      known?.peer.close();
      this.#peers.set(shard, { address, peer: new NormPeer(address, this.#identity, () => this.#own.flatMap(framesOfNorms)) });
    });
  }

  /** The step of these sums waits for its factor. */
  offer(norms: StepNorms): void {
    this.keep(norms);
    this.#waiting = norms.step;
    this.#sendToAll([norms]);
    this.#settle();
  }

  /** Sends the last sums to the others again: those that a former primary sent may not have arrived. */
  repeat(): void {
    this.#sendToAll(this.#own);
  }

  /** Keeps sums of this shard for those who may still need them. */
  keep(norms: StepNorms): void {
    this.#own = [...this.#own.filter(({ step }) => step !== norms.step), norms].slice(-KEPT_STEPS);
  }

  /** Takes what another shard sends on one stream. `version` gives the step that this shard is at. */
  receiver(shard: number, version: () => number): PeerReceiver {
    const assembly = new ChunkAssembly();
    const blocks = this.#blocksOf(shard);
    return {
      take: (frame) => takeNorms(assembly, frame, blocks, (norms) => this.#take(shard, norms, version())),
      ended: () => assembly.abandon(),
    };
  }

  close(): void {
    for (const { peer } of this.#peers.values()) peer.close();
    this.#peers.clear();
  }

  #sendToAll(norms: readonly StepNorms[]): void {
    const frames = norms.flatMap(framesOfNorms);
    for (const { peer } of this.#peers.values()) peer.send(frames);
  }

  #take(shard: number, { step, blockSums }: StepNorms, version: number): void {
    if (step > version + 1) throw new LockstepError('protocol', `shard ${shard} sent the norms of step ${step}, this one is at version ${version}`);
    if (step < version) return;
    const sums = this.#received.get(step) ?? new Map<number, Float64Array>();
    this.#received.set(step, sums);
    if (!sums.has(shard)) sums.set(shard, blockSums);
    this.#settle();
  }

  #settle(): void {
    const limit = this.#plan.clipping.globalNorm;
    const step = this.#waiting;
    const own = this.#own.find((norms) => norms.step === step);
    if (limit === null || step === null || own === undefined) return;
    const received = this.#received.get(step) ?? new Map<number, Float64Array>();
    if (received.size < this.#plan.shards - 1) return;
    this.#waiting = null;
    for (const known of this.#received.keys()) {
      if (known <= step) this.#received.delete(known);
    }
    const parts = Array.from({ length: this.#plan.shards }, (_, shard) => (shard === this.#plan.shard ? own.blockSums : received.get(shard)));
    this.#onFactor(clippingFactor(concatenate(parts), limit));
  }

  #blocksOf(shard: number): number {
    const range = cutIntoShards(this.#plan.totalLength, this.#plan.shards)[shard];
    if (range === undefined || shard === this.#plan.shard || this.#plan.clipping.globalNorm === null) throw new LockstepError('protocol', `no norms are due from shard ${shard}`);
    return Math.ceil(trainableIn({ range, trainableLength: this.#plan.trainableLength }) / NORM_BLOCK);
  }
}

export function framesOfNorms({ step, blockSums }: StepNorms): Buffer[] {
  return framesOf('norms', { step }, blockSums);
}

/** Puts the sums of `blocks` blocks together from frames; hands them on when they are whole. */
export function takeNorms(assembly: ChunkAssembly, frame: TensorFrame, blocks: number, whole: (norms: StepNorms) => void): void {
  const { kind, step, carrier } = frame.header;
  if (kind !== 'norms' || carrier !== 'inline') throw new LockstepError('protocol', `a shard sent a ${kind}, expected norms`);
  checkLength(frame.header, blocks * Float64Array.BYTES_PER_ELEMENT);
  assembly.take(frame, {
    reserve: () => new Uint8Array(blocks * Float64Array.BYTES_PER_ELEMENT),
    commit: ({ buffer }) => whole({ step, blockSums: new Float64Array(buffer) }),
    abandon: () => undefined,
  });
}

function concatenate(parts: readonly (Float64Array | undefined)[]): Float64Array {
  const whole = new Float64Array(parts.reduce((length, part) => length + (part?.length ?? 0), 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part ?? [], offset);
    offset += part?.length ?? 0;
  }
  return whole;
}
