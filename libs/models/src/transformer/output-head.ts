import type { Tensor } from '@tensorflow/tfjs';
import type { GradientVector } from './gradient-vector.ts';
import type { StageContext } from './stage.ts';
import { EMBEDDING, OUTPUT } from './tensor-names.ts';
import { tokenLosses, type TokenLosses } from './token-losses.ts';
import { sumOfScores, type TokenScores } from './token-scores.ts';

export interface OutputHead {
  /** `[n, vocabularySize]` of hidden states `[n, width]`. */
  logits(hidden: Tensor): Tensor;
  evaluate(hidden: Tensor, targets: Int32Array): TokenScores;
  /** Also the gradient at `hidden`. */
  gradient(hidden: Tensor, targets: Int32Array, gradients: GradientVector): { readonly scores: TokenScores; readonly dHidden: Tensor };
}

/** Some positions that go through the output layer at once. */
interface Chunk {
  readonly hidden: Tensor;
  readonly targets: Int32Array;
}

/** The output layer with cross-entropy, `chunkRows` positions at a time, so that the logits of all never exist at once. */
export function outputHead({ engine: { tf }, kernels, architecture, weights }: StageContext, chunkRows: number): OutputHead {
  const name = architecture.tiedEmbeddings ? EMBEDDING : OUTPUT;
  const logits = (hidden: Tensor): Tensor => kernels.matMul(hidden, weights.get(name), false, true);
  const score = ({ hidden, targets }: Chunk): TokenLosses => tokenLosses(tf, kernels, logits(hidden), targets);
  const chunksOf = (hidden: Tensor, targets: Int32Array): Chunk[] => Array.from({ length: Math.ceil(targets.length / chunkRows) }, (_, chunk) => {
    const some = targets.slice(chunk * chunkRows, (chunk + 1) * chunkRows);
    return { hidden: tf.slice(hidden, [chunk * chunkRows, 0], [some.length, -1]), targets: some };
  });

  /** The logits' gradient is their probabilities, less 1 at the target: these ones are applied as rows, not written into the matrix. */
  const dHiddenOf = (probabilities: Tensor, { targets }: Chunk): Tensor => {
    const weight = weights.get(name);
    return tf.sub(kernels.matMul(probabilities, weight, false, false), tf.gather(weight, tf.tensor1d(targets, 'int32')));
  };

  return {
    logits,
    evaluate: (hidden, targets) => sumOfScores(chunksOf(hidden, targets).map((chunk) => tf.tidy(() => score(chunk).scores))),
    gradient(hidden, targets, gradients) {
      let dWeight: Tensor | null = null;
      const scored = chunksOf(hidden, targets).map((chunk) => tf.tidy(() => {
        const { scores, probabilities } = score(chunk);
        if (weights.trains(name)) dWeight = accumulated(dWeight, kernels.matMul(probabilities, chunk.hidden, true, false));
        return { scores, dHidden: dHiddenOf(probabilities, chunk) };
      }));
      if (dWeight !== null) giveWeightGradient(dWeight, hidden, targets, gradients);
      return { scores: sumOfScores(scored.map(({ scores }) => scores)), dHidden: tf.concat(scored.map(({ dHidden }) => dHidden)) };
    },
  };

  /** Outlives the chunk's scope. */
  function accumulated(sum: Tensor | null, next: Tensor): Tensor {
    const total = tf.keep(sum === null ? next : tf.add(sum, next));
    sum?.dispose();
    return total;
  }

  function giveWeightGradient(fromProbabilities: Tensor, hidden: Tensor, targets: Int32Array, gradients: GradientVector): void {
    gradients.set(name, fromProbabilities);
    gradients.addRows(name, targets, hidden, -1);
    fromProbabilities.dispose();
  }
}
