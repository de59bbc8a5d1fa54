import { bytesOf } from '@lockstep/core';
import { clippingFactor, leafOf } from '@lockstep/reduction';
import { Shard } from '../shard.ts';
import { readFrom } from './read-from.ts';
import type { ShardRange } from '../shard-range.ts';
import { hashOf, type SyntheticRun } from './synthetic-run.ts';

/** The whole parameters of each version from 0, as one undisturbed shard makes them. */
export function expectedVersions(run: SyntheticRun): Float32Array[] {
  const versions: Float32Array[] = [];
  const { microBatches, totalSteps, clipping } = run.options;
  const shard = new Shard(run.plan(), {
    versionReady: () => versions.push(shard.copyState().slice(0, shard.length)),
    normsReady: (_, blockSums) => shard.clip(clippingFactor(blockSums, clipping?.globalNorm ?? Infinity)),
    wantsGradient: () => false,
    stepReduced: () => undefined,
    pieceMade: () => undefined,
  });
  const initial = shard.reserveInitial()!;
  initial.set(bytesOf(run.initial));
  shard.commitInitial(initial);
  for (let step = 0; step < totalSteps; step += 1) {
    for (let index = 0; index < microBatches; index += 1) {
      const { slice, tally } = run.partial(step, leafOf(index));
      const partial = { step, node: leafOf(index), tally, shares: [{ rank: 0, microBatches: 1, computeMs: 1 }], digests: Uint32Array.from(run.digests(step, leafOf(index))), carrier: 'shared' as const };
      shard.receive(0, partial)!.take(slice.length, readFrom(slice));
    }
  }
  return versions;
}

/** By version, the hash of a range of it. */
export function hashesOf(versions: readonly Float32Array[], { from, to }: ShardRange): Map<number, string> {
  return new Map(versions.map((parameters, version) => [version, hashOf(parameters.subarray(from, to))]));
}
