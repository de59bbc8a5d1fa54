import type { Tensor } from '@tensorflow/tfjs';
import { dropoutOf } from './dropout.ts';
import type { GradientVector } from './gradient-vector.ts';
import type { Pass, StageContext } from './stage.ts';
import { EMBEDDING, POSITIONS } from './tensor-names.ts';

/** A token and its position in its document, of each of `numRows * rowLength` places. */
export interface TokenPlaces {
  readonly tokens: Int32Array;
  readonly positions: Int32Array;
}

export interface Embedding {
  readonly trains: boolean;
  forward(pass: Pass, places: TokenPlaces): Tensor;
  backward(pass: Pass, places: TokenPlaces, dy: Tensor, gradients: GradientVector): void;
}

/** A learned vector for each token, and one for each position where these are learned. */
export function tokenEmbedding(context: StageContext): Embedding {
  const { engine: { tf }, architecture, weights } = context;
  const dropout = dropoutOf(context, context.dropout);
  const rows = (name: string, indices: Int32Array): Tensor => tf.gather(weights.get(name), tf.tensor1d(indices, 'int32'));
  return {
    trains: [EMBEDDING, POSITIONS].some((name) => weights.trains(name)),
    forward(pass, { tokens, positions }) {
      const embedded = rows(EMBEDDING, tokens);
      return dropout(pass, architecture.positions === 'learned' ? tf.add(embedded, rows(POSITIONS, positions)) : embedded);
    },
    backward(pass, { tokens, positions }, dy, gradients) {
      const dEmbedded = dropout(pass, dy);
      if (weights.trains(EMBEDDING)) gradients.addRows(EMBEDDING, tokens, dEmbedded, 1);
      if (weights.trains(POSITIONS)) gradients.addRows(POSITIONS, positions, dEmbedded, 1);
    },
  };
}
