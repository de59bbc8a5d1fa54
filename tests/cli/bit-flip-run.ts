import { adam, defineRun, mnist, type ModelContext, type RunDefinition } from 'lockstep';
import type { Tensor } from '@tensorflow/tfjs';

/** The top bit of a float32's mantissa: flipped it changes the value by a quarter to a half. */
const FLIPPED_BIT = 1 << 22;

/** A small run of four micro-batches a step, with a layer that flips one bit at one of its calls in training (counted from 1), or at none. */
export function bitFlipRun(flippedCall: number | null): RunDefinition {
  return defineRun({
    data: mnist({ limit: 160 }),
    model: (context) => context.sequential({
      layers: [
        context.layers.flatten({ inputShape: [...context.sampleShape] }),
        context.layers.dense({ units: 8, activation: 'relu', name: 'hidden' }),
        bitFlipLayer(context, flippedCall),
        context.layers.dense({ units: context.numClasses, name: 'logits' }),
      ],
    }),
    optimizer: adam({ learningRate: 0.001 }),
    globalBatchSize: 32, microBatches: 4, epochs: 1, seed: 7,
    checkpoints: { everySteps: 1, keepLast: 10 },
  });
}

function bitFlipLayer(tf: ModelContext, flippedCall: number | null) {
  let calls = 0;
  class BitFlip extends tf.layers.Layer {
    static readonly className = 'BitFlip';

    override call(inputs: Tensor | Tensor[], { training }: { training?: boolean }): Tensor {
      const x = Array.isArray(inputs) ? inputs[0]! : inputs;
      if (!training || (calls += 1) !== flippedCall) return x.clone();
      return tf.add(x, tf.tensor(changeByOneBit(x.dataSync() as Float32Array), x.shape));
    }
  }
  return new BitFlip({});
}

/** What added to the values flips one bit of the greatest. */
function changeByOneBit(values: Float32Array): Float32Array {
  const at = values.indexOf(values.reduce((greatest, value) => Math.max(greatest, value)));
  const flipped = new Float32Array(values);
  const bits = new Uint32Array(flipped.buffer);
  bits[at] = bits[at]! ^ FLIPPED_BIT;
  return flipped.map((value, index) => value - values[index]!);
}
