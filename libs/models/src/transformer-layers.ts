import type { Tf } from '@lockstep/engine';
import type { serialization, Tensor } from '@tensorflow/tfjs';

type LayerClass = Tf['layers']['Layer'];
type Layer = InstanceType<LayerClass>;
type LayerArguments = { readonly name: string };
type Shape = (number | null)[];

type AttentionArguments = LayerArguments & { readonly heads: number };

/** Layers that TensorFlow.js lacks, as constructors; registered, so that a saved model with them loads. */
export interface TransformerLayers {
  gelu(options: LayerArguments): Layer;
  positionEmbedding(options: LayerArguments): Layer;
  selfAttention(options: AttentionArguments): Layer;
}

const known = new WeakMap<object, TransformerLayers>();

/** Makes and registers the layers, once for a TensorFlow.js module. */
export function transformerLayers(tf: Tf): TransformerLayers {
  const made = known.get(tf) ?? makeLayers(tf);
  known.set(tf, made);
  return made;
}

function makeLayers(tf: Tf): TransformerLayers {
  const Gelu = geluOf(tf);
  const PositionEmbedding = positionEmbeddingOf(tf);
  const SelfAttention = selfAttentionOf(tf);
  for (const layerClass of [Gelu, PositionEmbedding, SelfAttention]) tf.serialization.registerClass(layerClass as never);
  return {
    gelu: (options) => new Gelu(options),
    positionEmbedding: (options) => new PositionEmbedding(options),
    selfAttention: (options) => new SelfAttention(options),
  };
}

function single(inputs: Tensor | Tensor[]): Tensor {
  return Array.isArray(inputs) ? inputs[0]! : inputs;
}

/** `x * Phi(x)` with the normal distribution's Phi (Hendrycks and Gimpel 2016), exact, by erf. */
function geluOf(tf: Tf) {
  return class Gelu extends tf.layers.Layer {
    static className = 'LockstepGelu';

    override call(inputs: Tensor | Tensor[]): Tensor {
      return tf.tidy(() => {
        const x = single(inputs);
        return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
      });
    }
  };
}

/** Adds a learned vector to each position of `[n, positions, width]`. */
function positionEmbeddingOf(tf: Tf) {
  return class PositionEmbedding extends tf.layers.Layer {
    static className = 'LockstepPositionEmbedding';
    #embedding: ReturnType<Layer['addWeight']> | undefined;

    override build(inputShape: Shape | Shape[]): void {
      const [, positions, width] = inputShape as Shape;
      this.#embedding = this.addWeight('embedding', [positions!, width!], 'float32', tf.initializers.randomNormal({ stddev: 0.02 }));
      this.built = true;
    }

    override call(inputs: Tensor | Tensor[]): Tensor {
      return tf.tidy(() => tf.add(single(inputs), this.#embedding!.read()));
    }
  };
}

/** Multi-head self-attention without a mask (Vaswani et al. 2017) over `[n, positions, width]`. */
function selfAttentionOf(tf: Tf) {
  return class SelfAttention extends tf.layers.Layer {
    static className = 'LockstepSelfAttention';
    readonly #heads: number;
    #weights: Record<'qkvKernel' | 'qkvBias' | 'outKernel' | 'outBias', ReturnType<Layer['addWeight']>> | undefined;

    constructor({ heads, ...options }: AttentionArguments) {
      super(options);
      this.#heads = heads;
    }

    override build(inputShape: Shape | Shape[]): void {
      const width = (inputShape as Shape).at(-1)!;
      const glorot = tf.initializers.glorotUniform({});
      const zeros = tf.initializers.zeros();
      this.#weights = {
        qkvKernel: this.addWeight('qkv_kernel', [width, 3 * width], 'float32', glorot),
        qkvBias: this.addWeight('qkv_bias', [3 * width], 'float32', zeros),
        outKernel: this.addWeight('out_kernel', [width, width], 'float32', glorot),
        outBias: this.addWeight('out_bias', [width], 'float32', zeros),
      };
      this.built = true;
    }

    override call(inputs: Tensor | Tensor[]): Tensor {
      return tf.tidy(() => this.#attend(single(inputs)));
    }

    override getConfig(): serialization.ConfigDict {
      return { ...super.getConfig(), heads: this.#heads };
    }

    #attend(x: Tensor): Tensor {
      const [n, positions, width] = x.shape as [number, number, number];
      const headWidth = width / this.#heads;
      const { qkvKernel, qkvBias, outKernel, outBias } = this.#weights!;
      const qkv = tf.add(tf.matMul(tf.reshape(x, [-1, width]), qkvKernel.read()), qkvBias.read());
      const [q, k, v] = tf.split(qkv, 3, 1).map((part) => tf.transpose(tf.reshape(part, [n, positions, this.#heads, headWidth]), [0, 2, 1, 3]));
      const weights = tf.softmax(tf.mul(tf.matMul(q!, k!, false, true), 1 / Math.sqrt(headWidth)));
      const heads = tf.transpose(tf.matMul(weights, v!), [0, 2, 1, 3]);
      const out = tf.add(tf.matMul(tf.reshape(heads, [-1, width]), outKernel.read()), outBias.read());
      return tf.reshape(out, [n, positions, width]);
    }
  };
}
