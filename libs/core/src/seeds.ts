/**
 * Seeds. Every random draw of a run is a pure function of the run's seed and of *what* is drawn for
 * (a step and micro-batch, an epoch and sample), never of a process's own stream, so it is the same on any worker.
 */

/** What a draw is for; each purpose has streams of its own. */
export type SeedPurpose = 'order' | 'split' | 'augmentation' | 'dropout' | 'initialization' | 'inspection' | 'simulation';

const PURPOSES: readonly SeedPurpose[] = ['order', 'split', 'augmentation', 'dropout', 'initialization', 'inspection', 'simulation'];

/** Mixes one 32-bit word into a hash (the round and finaliser of MurmurHash3, x86 32-bit). */
function mix(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const h = hash ^ k;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function finalise(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * A 32-bit seed for `purpose` and the numbers that name the draw. Integers up to 2^53 count whole.
 * `deriveSeed(42, 'dropout', step, microBatch)`.
 */
export function deriveSeed(seed: number, purpose: SeedPurpose, ...keys: readonly number[]): number {
  let hash = PURPOSES.indexOf(purpose) + 1;
  for (const key of [seed, ...keys]) {
    hash = mix(hash, key | 0);
    hash = mix(hash, Math.floor(key / 0x1_0000_0000) | 0);
  }
  return finalise(hash ^ (keys.length + 1));
}

/** A uniform draw in `[0, 1)` per call, from a 32-bit seed (mulberry32; period 2^32, plenty for one sample or one initializer). */
export function uniformStream(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
