import type { TokenBatch } from '@lockstep/engine';
import type { Tensor } from '@tensorflow/tfjs';
import { blockStage } from './block.ts';
import { tokenEmbedding, type Embedding, type TokenPlaces } from './embedding.ts';
import type { GradientVector } from './gradient-vector.ts';
import type { KeyValueCache } from './key-value-cache.ts';
import { normStage, type NormSaved } from './norm.ts';
import { outputHead, type OutputHead } from './output-head.ts';
import { recomputed } from './recomputed.ts';
import { rotaryTables } from './rotary.ts';
import type { Pass, Stage, StageContext } from './stage.ts';
import { blockName, FINAL_NORM } from './tensor-names.ts';
import { attentionMask, continuationMask, documentPositions } from './token-places.ts';
import type { TokenScores } from './token-scores.ts';

/** Logits that exist at once: a bound of memory, and part of what a result's bits depend on. */
const LOGITS_BYTES = 32 * 1024 * 1024;

type PassOptions = Pick<Pass, 'dropoutSeed' | 'cache'> & { readonly mask: Float32Array; readonly positions: Int32Array; readonly rows: number };

export interface NetworkOptions {
  readonly recompute: boolean;
  /** Positions that go through the output layer at once; a default by bytes. */
  readonly chunkRows?: number;
}

/** The function of a decoder-only Transformer and its gradient, on the weights that its context holds. Each method runs in a scope of its own. */
export class TransformerNetwork {
  readonly #context: StageContext;
  readonly #embedding: Embedding;
  readonly #blocks: readonly Stage<unknown>[];
  readonly #finalNorm: Stage<NormSaved>;
  readonly #head: OutputHead;
  /** The first block that the backward pass reaches. */
  readonly #firstTrained: number;

  constructor(context: StageContext, { recompute, chunkRows }: NetworkOptions) {
    const { engine: { tf }, architecture: { depth, vocabularySize }, weights } = context;
    this.#context = context;
    this.#embedding = tokenEmbedding(context);
    const blocks = Array.from({ length: depth }, (_, index) => blockStage(context, index));
    this.#blocks = (recompute ? blocks.map((block) => recomputed(tf, block)) : blocks) as Stage<unknown>[];
    this.#finalNorm = normStage(context, FINAL_NORM);
    this.#head = outputHead(context, chunkRows ?? Math.max(1, Math.floor(LOGITS_BYTES / (4 * vocabularySize))));
    const trained = blocks.findIndex((_, index) => weights.layout.parameters.some(({ name }) => name.startsWith(`${blockName(index)}.`)));
    this.#firstTrained = this.#embedding.trains ? 0 : trained < 0 ? depth : trained;
  }

  gradient(batch: TokenBatch, seed: number, gradients: GradientVector): TokenScores {
    return this.#tf.tidy(() => {
      const { pass, places } = this.#passOf(batch, seed);
      const { x, saved } = this.#forward(pass, places);
      const { scores, dx } = this.#lossGradient(pass, x, batch.targets, gradients);
      const dEmbedded = this.#backward(pass, saved, dx, gradients);
      if (this.#embedding.trains) this.#embedding.backward(pass, places, dEmbedded, gradients);
      return scores;
    });
  }

  evaluate(batch: TokenBatch): TokenScores {
    return this.#tf.tidy(() => {
      const { pass, places } = this.#passOf(batch, null);
      const { hidden, targets } = this.#counted(this.#infer(pass, places), batch.targets);
      return this.#head.evaluate(this.#finalNorm.forward(pass, hidden).y, targets);
    });
  }

  /** The logits `[vocabularySize]` after the last of `tokens`, which follow the `numBefore` that the cache holds. */
  continue(tokens: Int32Array, numBefore: number, cache: KeyValueCache): Float32Array {
    const logits = this.#tf.tidy(() => {
      const positions = Int32Array.from(tokens, (_, index) => numBefore + index);
      const pass = this.#pass(1, tokens.length, { mask: continuationMask(tokens.length, numBefore), positions, rows: 1, dropoutSeed: null, cache });
      const last = this.#tf.slice(this.#infer(pass, { tokens, positions }), [tokens.length - 1, 0], [1, -1]);
      return this.#head.logits(this.#finalNorm.forward(pass, last).y);
    });
    const values = logits.dataSync() as Float32Array;
    logits.dispose();
    return values;
  }

  get #tf() {
    return this.#context.engine.tf;
  }

  #passOf(batch: TokenBatch, dropoutSeed: number | null): { pass: Pass; places: TokenPlaces } {
    const positions = documentPositions(batch);
    const rows = batch.documents === null ? 1 : batch.numRows;
    return {
      pass: this.#pass(batch.numRows, batch.rowLength, { mask: attentionMask(batch), positions: positions.subarray(0, rows * batch.rowLength), rows, dropoutSeed, cache: null }),
      places: { tokens: batch.tokens, positions },
    };
  }

  /** `mask` and `positions` are those of `rows` rows, which are all or one that stands for all. */
  #pass(numRows: number, rowLength: number, { mask, positions, rows, ...rest }: PassOptions): Pass {
    const { engine, architecture: { headWidth, ropeTheta, positions: kind } } = this.#context;
    return {
      numRows, rowLength, ...rest,
      mask: this.#tf.tensor4d(mask, [rows, 1, rowLength, mask.length / rows / rowLength]),
      rotary: kind === 'rotary' ? rotaryTables(engine, positions, rows, headWidth, ropeTheta) : null,
    };
  }

  /** Through the blocks; `saved` is what each trained one keeps. */
  #forward(pass: Pass, places: TokenPlaces): { x: Tensor; saved: unknown[] } {
    const saved: unknown[] = [];
    let x = this.#embedding.forward(pass, places);
    this.#blocks.forEach((block, index) => {
      if (index < this.#firstTrained) x = this.#tf.tidy(() => block.forward(pass, x).y);
      else {
        const out = this.#tf.tidy(() => block.forward(pass, x) as { y: Tensor; saved: never });
        saved[index] = out.saved;
        x = out.y;
      }
    });
    return { x, saved };
  }

  #infer(pass: Pass, places: TokenPlaces): Tensor {
    return this.#blocks.reduce((x, block) => this.#tf.tidy(() => block.forward(pass, x).y), this.#embedding.forward(pass, places));
  }

  /** Back to the first trained block; frees what each block kept. */
  #backward(pass: Pass, saved: unknown[], dLast: Tensor, gradients: GradientVector): Tensor {
    let dx = dLast;
    for (let index = this.#blocks.length - 1; index >= this.#firstTrained; index--) {
      const dy = dx;
      dx = this.#tf.tidy(() => this.#blocks[index]!.backward(pass, saved[index], dy, gradients));
      this.#tf.dispose([dy, saved[index] as never]);
      saved[index] = undefined;
    }
    return dx;
  }

  /** The loss of the positions that count, which alone go through the final norm and the output layer, and its gradient at the last block's output. */
  #lossGradient(pass: Pass, x: Tensor, targets: Int32Array, gradients: GradientVector): { scores: TokenScores; dx: Tensor } {
    return this.#tf.tidy(() => {
      const counted = this.#counted(x, targets);
      const { y, saved } = this.#finalNorm.forward(pass, counted.hidden);
      const { scores, dHidden } = this.#head.gradient(y, counted.targets, gradients);
      const dCounted = this.#finalNorm.backward(pass, saved, dHidden, gradients);
      return { scores, dx: this.#tf.scatterND(this.#tf.tensor2d(counted.places, [counted.places.length, 1], 'int32'), dCounted, x.shape as [number, number]) };
    });
  }

  #counted(x: Tensor, targets: Int32Array): { hidden: Tensor; places: Int32Array; targets: Int32Array } {
    const places = Int32Array.from(targets.keys()).filter((place) => targets[place]! >= 0);
    return { hidden: this.#tf.gather(x, this.#tf.tensor1d(places, 'int32')), places, targets: places.map((place) => targets[place]!) };
  }
}
