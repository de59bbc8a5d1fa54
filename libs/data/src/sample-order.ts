import { deriveSeed } from '@lockstep/core';

/** The order in which an epoch visits the examples: a permutation of `0 … numExamples - 1` for each epoch. */
export interface SampleOrder {
  /** The example at `position` (`0 … numExamples - 1`) of `epoch`. */
  sampleAt(epoch: number, position: number): number;
}

/** Twice a half each; below 8 the permutations of small data sets are visibly uneven. */
const ROUNDS = 12;
const LARGEST_HALF_BITS = 26;

/**
 * A keyed permutation that needs no array of the data set's size: a Feistel network on the smallest sufficient number of bits,
 * walking its cycle until it lands below `numExamples` (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002);
 * fewer than two networks a sample on average. A pure function of `(seed, epoch)`; up to 2^52 examples.
 */
export function createSampleOrder(seed: number, numExamples: number): SampleOrder {
  const bits = Math.max(2, Math.ceil(Math.log2(Math.max(1, numExamples))));
  const lowBits = Math.ceil(bits / 2);
  if (!Number.isSafeInteger(numExamples) || numExamples < 1 || lowBits > LARGEST_HALF_BITS) {
    throw new RangeError(`numExamples is ${numExamples}, expected 1 to 2^52`);
  }
  const lowSize = 2 ** lowBits;
  const keys = new Int32Array(ROUNDS);
  let keysEpoch = -1;

  const permute = (value: number): number => {
    let high = Math.floor(value / lowSize);
    let low = value - high * lowSize;
    const highMask = 2 ** (bits - lowBits) - 1;
    const lowMask = lowSize - 1;
    for (let round = 0; round < ROUNDS; round += 2) {
      high ^= scramble(low ^ keys[round]!) & highMask;
      low ^= scramble(high ^ keys[round + 1]!) & lowMask;
    }
    return high * lowSize + low;
  };

  return {
    sampleAt(epoch, position) {
      if (!(position >= 0 && position < numExamples)) throw new RangeError(`position is ${position}, expected 0 to ${numExamples - 1}`);
      if (epoch !== keysEpoch) {
        for (let round = 0; round < ROUNDS; round += 1) keys[round] = deriveSeed(seed, 'order', epoch, round);
        keysEpoch = epoch;
      }
      let sample = permute(position);
      while (sample >= numExamples) sample = permute(sample);
      return sample;
    },
  };
}

/** The finaliser of MurmurHash3, x86 32-bit. */
function scramble(word: number): number {
  let h = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
