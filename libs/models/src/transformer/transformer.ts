import { LockstepError, type LoraConfig, type ParameterLayout, type ParameterSpec, type StoredTensor, type TensorSource, type TransformerArchitecture } from '@lockstep/core';
import { createKernels, type Engine, type LanguageModel, type MicroBatchGradient, type TokenBatch } from '@lockstep/engine';
import { GradientVector } from './gradient-vector.ts';
import { initialValues } from './initial-values.ts';
import type { KeyValueCache } from './key-value-cache.ts';
import { adapterTensors, mergedTensors, type ExportedTensor } from './exported-tensors.ts';
import type { StageContext } from './stage.ts';
import { isAdapter, transformerTensors } from './tensor-names.ts';
import { checkTokenBatch } from './token-batch-check.ts';
import { NO_TOKENS, type TokenScores } from './token-scores.ts';
import { TransformerNetwork, type NetworkOptions } from './transformer-network.ts';
import { TransformerWeights } from './transformer-weights.ts';

export interface TransformerOptions extends NetworkOptions {
  readonly architecture: TransformerArchitecture;
  /** The rate of GPT-2's three places: embeddings, attention weights, ends of residual branches. */
  readonly dropout: number;
  /** Adapters that a source lacks are drawn from the seed; everything else it has. */
  readonly initial: { readonly kind: 'seed'; readonly seed: number } | { readonly kind: 'tensors'; readonly tensors: TensorSource; readonly seed: number };
  readonly lora: LoraConfig | null;
  /** What trains besides the adapters, by name; the others are frozen. */
  readonly trains: (name: string) => boolean;
}

/** A decoder-only Transformer in the style of GPT-2 or of Llama. */
export interface Transformer extends LanguageModel {
  readonly engine: Engine;
  readonly architecture: TransformerArchitecture;
  readonly lora: LoraConfig | null;
  /** All tensors without adapters, which are added to the weights that they belong to: `W + alpha / rank * B A`. */
  mergedTensors(): readonly ExportedTensor[];
  adapterTensors(): readonly ExportedTensor[];
  /** The logits `[vocabularySize]` after the last of `tokens`, which follow the `numBefore` that the cache holds; adds theirs to it. */
  continue(tokens: Int32Array, numBefore: number, cache: KeyValueCache): Float32Array;
}

/**
 * @throws LockstepError `config` when sizes do not go together or an adapter's target is no layer, `data` when a source's tensor is missing or has
 * another shape.
 */
export function createTransformer(engine: Engine, options: TransformerOptions): Transformer {
  const { architecture, lora, trains, dropout, initial } = options;
  checkSizes(architecture);
  const kindOf = (name: string): ParameterSpec['kind'] => (isAdapter(name) || trains(name) ? 'trainable' : 'frozen');
  const specs = transformerTensors(architecture, lora).map((tensor) => ({ ...tensor, kind: kindOf(tensor.name) }));
  const weights = new TransformerWeights(engine.tf, specs, (spec, index) => {
    const stored = initial.kind === 'tensors' ? valuesFrom(initial.tensors, spec) : null;
    return stored ?? initialValues(spec, index, architecture.depth, initial.seed);
  });
  let draws = 0;
  const context: StageContext = { engine, kernels: createKernels(engine), architecture, weights, lora, dropout, nextDraw: () => draws++ };
  return new NetworkTransformer(context, options);
}

class NetworkTransformer implements Transformer {
  readonly engine: Engine;
  readonly architecture: TransformerArchitecture;
  readonly lora: LoraConfig | null;
  readonly topology: object;
  readonly #context: StageContext;
  readonly #weights: TransformerWeights;
  readonly #network: TransformerNetwork;

  constructor(context: StageContext, options: NetworkOptions) {
    this.engine = context.engine;
    this.architecture = context.architecture;
    this.lora = context.lora;
    this.topology = { kind: 'transformer', architecture: context.architecture, lora: context.lora };
    this.#context = context;
    this.#weights = context.weights;
    this.#network = new TransformerNetwork(context, options);
  }

  get layout(): ParameterLayout {
    return this.#weights.layout;
  }

  get specs(): readonly ParameterSpec[] {
    return this.#weights.specs;
  }

  readParameters(): Float32Array {
    return this.#weights.readParameters();
  }

  readFrozen(): Iterable<Float32Array> {
    return this.#weights.readFrozen();
  }

  loadParameters(flat: Float32Array): void {
    this.#weights.loadParameters(flat);
  }

  loadFrozen(values: Float32Array): void {
    this.#weights.loadFrozen(values);
  }

  gradient(batch: TokenBatch, seed: number, into?: Float32Array): MicroBatchGradient {
    checkTokenBatch(batch, this.architecture);
    const gradients = new GradientVector(this.layout, into);
    if (!countsAny(batch)) return { flat: gradients.flat.fill(0), ...NO_TOKENS };
    return { flat: gradients.flat, ...this.#network.gradient(batch, seed, gradients) };
  }

  evaluate(batch: TokenBatch): TokenScores {
    checkTokenBatch(batch, this.architecture);
    return countsAny(batch) ? this.#network.evaluate(batch) : NO_TOKENS;
  }

  continue(tokens: Int32Array, numBefore: number, cache: KeyValueCache): Float32Array {
    return this.#network.continue(tokens, numBefore, cache);
  }

  mergedTensors(): readonly ExportedTensor[] {
    return mergedTensors(this.#context);
  }

  adapterTensors(): readonly ExportedTensor[] {
    return adapterTensors(this.#context);
  }

  dispose(): void {
    this.#weights.dispose();
  }
}

function countsAny({ targets }: TokenBatch): boolean {
  return targets.some((target) => target >= 0);
}

function checkSizes({ heads, keyValueHeads, headWidth }: TransformerArchitecture): void {
  if (!Number.isInteger(headWidth) || headWidth % 2 !== 0) throw new LockstepError('config', `model: a head has width ${headWidth}, expected an even number: width divided by heads`);
  if (heads % keyValueHeads !== 0) throw new LockstepError('config', `model.keyValueHeads: ${keyValueHeads}, expected a divisor of the ${heads} heads`);
}

/** Null where an adapter is not in the source. */
function valuesFrom(source: TensorSource, { name, shape }: StoredTensor): Float32Array | null {
  const stored = source.tensors.find((tensor) => tensor.name === name);
  if (stored === undefined && isAdapter(name)) return null;
  if (stored === undefined) throw new LockstepError('data', `the model's files have no tensor '${name}'`);
  if (stored.shape.join() !== shape.join()) throw new LockstepError('data', `tensor '${name}' has shape [${stored.shape.join(', ')}], expected [${shape.join(', ')}]`);
  return source.read(name);
}
