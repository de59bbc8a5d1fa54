import { nodesCovering } from '@lockstep/reduction';
import { fairShares, readyMs } from './fair-shares.ts';

/** How much longer than it must a step may take for the sake of fewer, larger partials. */
const TOLERANCE = 1.1;
/** How much of its fair share a worker computes at least. */
const LEAST_OF_SHARE = 0.75;

interface Cut {
  /** A worker with nothing to do counts as one too. */
  readonly nodes: number;
  /** The sum of the squares of the workers' times. */
  readonly unevenness: number;
  /** Where the last worker's range ends, after the cut before it; null: before the first worker. */
  readonly last: { readonly end: number; readonly before: Cut } | null;
}

/**
 * Where each worker's contiguous range of the micro-batches ends: of the cuts that are ready at most a tenth later than
 * the fastest and leave no worker much less than its share, the one with the fewest tree nodes, so that few partials
 * travel; among these the most even one.
 * Only boundaries next to the fastest cut's are tried: its neighbours at each level of the tree.
 */
export function rangeEnds(msPerMicroBatch: readonly number[], microBatches: number): readonly number[] {
  const shares = fairShares(msPerMicroBatch, microBatches);
  const limitMs = readyMs(msPerMicroBatch, shares) * TOLERANCE;
  let cuts = new Map<number, Cut>([[0, { nodes: 0, unevenness: 0, last: null }]]);
  let fairEnd = 0;
  for (const [worker, ms] of msPerMicroBatch.entries()) {
    const share = shares[worker] ?? 0;
    fairEnd += share;
    const ends = worker === msPerMicroBatch.length - 1 ? [microBatches] : neighbours(fairEnd, microBatches);
    cuts = extended(cuts, ends, { ms, limitMs, least: Math.floor(share * LEAST_OF_SHARE) });
  }
  return endsOf(cuts.get(microBatches));
}

interface Bounds {
  readonly ms: number;
  readonly limitMs: number;
  /** In micro-batches. */
  readonly least: number;
}

/** The best cut up to each of `ends`, made of the best before it and one more worker's range. */
function extended(cuts: ReadonlyMap<number, Cut>, ends: readonly number[], { ms, limitMs, least }: Bounds): Map<number, Cut> {
  const next = new Map<number, Cut>();
  for (const end of ends) {
    for (const [from, cut] of cuts) {
      const takesMs = (end - from) * ms;
      if (end - from < least || takesMs > limitMs) continue;
      const nodes = Math.max(1, nodesCovering(from, end).length);
      const candidate = { nodes: cut.nodes + nodes, unevenness: cut.unevenness + takesMs ** 2, last: { end, before: cut } };
      if (isBetter(candidate, next.get(end))) next.set(end, candidate);
    }
  }
  return next;
}

function endsOf(cut: Cut | undefined): number[] {
  const ends: number[] = [];
  for (let last = cut?.last; last; last = last.before.last) ends.push(last.end);
  return ends.reverse();
}

function isBetter(cut: Cut, than: Cut | undefined): boolean {
  return than === undefined || cut.nodes < than.nodes || (cut.nodes === than.nodes && cut.unevenness < than.unevenness);
}

/** The boundary itself and, at each level of the tree, the whole subtrees' boundaries on both sides of it; nearest first. */
function neighbours(boundary: number, microBatches: number): number[] {
  const found = new Set<number>();
  for (let size = 1; size <= microBatches; size *= 2) {
    found.add(Math.floor(boundary / size) * size);
    found.add(Math.min(microBatches, Math.ceil(boundary / size) * size));
  }
  return [...found];
}
