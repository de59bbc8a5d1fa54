import { imageLengthOf, type Dataset } from './dataset.ts';

/** Finds images with exactly the pixels of an earlier one: a hash table with open addressing, then a comparison of the bytes. */
export class DuplicateFinder {
  readonly #datasets: readonly Dataset[];
  /** Where each dataset's images begin in the common numbering. */
  readonly #firsts: number[] = [];
  readonly #mask: number;
  /** Number of an image plus 1; 0 is free. */
  readonly #slots: Uint32Array;
  readonly #hashes: Int32Array;
  readonly #byWords: boolean;

  /** All of one image shape. */
  constructor(datasets: readonly Dataset[]) {
    this.#datasets = datasets;
    let total = 0;
    for (const dataset of datasets) {
      this.#firsts.push(total);
      total += dataset.numExamples;
    }
    const size = 2 ** Math.ceil(Math.log2(2 * total + 2));
    this.#mask = size - 1;
    this.#slots = new Uint32Array(size);
    this.#hashes = new Int32Array(size);
    this.#byWords = datasets.every(({ images, imageShape }) => images.byteOffset % 4 === 0 && imageLengthOf(imageShape) % 4 === 0);
  }

  /** The first image asked for so far with the same pixels, or null, in which case this one counts as asked for. */
  firstEqual(part: number, index: number): { part: number; index: number } | null {
    const image = this.#imageOf(part, index);
    const hash = hashOf(image, this.#byWords);
    let slot = hash & this.#mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & this.#mask) {
      if (this.#hashes[slot] !== hash) continue;
      const earlier = this.#locate(this.#slots[slot]! - 1);
      if (Buffer.compare(this.#imageOf(earlier.part, earlier.index), image) === 0) return earlier;
    }
    this.#slots[slot] = this.#firsts[part]! + index + 1;
    this.#hashes[slot] = hash;
    return null;
  }

  #locate(number: number): { part: number; index: number } {
    const part = this.#firsts.findLastIndex((first) => first <= number);
    return { part, index: number - this.#firsts[part]! };
  }

  #imageOf(part: number, index: number): Uint8Array {
    const { images, imageShape } = this.#datasets[part]!;
    const length = imageLengthOf(imageShape);
    return images.subarray(index * length, (index + 1) * length);
  }
}

/** Mixes 32 bits at a time where every image begins at a multiple of 4 bytes, so that equal images are cut into equal words. */
function hashOf(bytes: Uint8Array, byWords: boolean): number {
  const units = byWords ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4) : bytes;
  let hash = 0;
  for (let at = 0; at < units.length; at += 1) hash = mix(hash, units[at]!);
  return hash ^ (hash >>> 15);
}

/** The round of MurmurHash3, x86 32-bit. */
function mix(hash: number, word: number): number {
  const k = Math.imul(word, 0xcc9e2d51);
  const h = hash ^ ((k << 15) | (k >>> 17));
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}
