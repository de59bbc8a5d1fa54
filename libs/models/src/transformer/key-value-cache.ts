import type { Tf } from '@lockstep/engine';
import type { Tensor } from '@tensorflow/tfjs';

/** Keys and values of the tokens that a generator has seen, `[1, keyValueHeads, tokens, headWidth]` of each block. */
export class KeyValueCache {
  readonly #tf: Tf;
  readonly #blocks: [keys: Tensor, values: Tensor][] = [];

  constructor(tf: Tf) {
    this.#tf = tf;
  }

  /** Appends those of new tokens to a block's; gives all of them, which stay the cache's. */
  append(block: number, keys: Tensor, values: Tensor): readonly [keys: Tensor, values: Tensor] {
    const before = this.#blocks[block];
    const extended = [keys, values].map((added, which) => this.#tf.keep(before === undefined ? added.clone() : this.#tf.concat([before[which]!, added], 2))) as [Tensor, Tensor];
    this.#tf.dispose(before);
    this.#blocks[block] = extended;
    return extended;
  }

  dispose(): void {
    this.#tf.dispose(this.#blocks);
    this.#blocks.length = 0;
  }
}
