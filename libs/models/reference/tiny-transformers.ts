import type { LoraConfig, TensorSource, TransformerArchitecture } from '@lockstep/core';
import type { Engine } from '@lockstep/engine';
import { transformerTensors } from '../src/transformer/tensor-names.ts';
import { createTransformer, type Transformer, type TransformerOptions } from '../src/transformer/transformer.ts';
import { pattern } from './pattern.ts';

/** The models of `language_models.py`. */
const shared = { vocabularySize: 31, depth: 2, width: 24, heads: 4, headWidth: 6, contextLength: 16, normEpsilon: 1e-5, ropeTheta: 100 } as const;
export const gpt2: TransformerArchitecture = { ...shared, keyValueHeads: 4, hidden: 96, positions: 'learned', norm: 'layerNorm', activation: 'gelu', biases: true, tiedEmbeddings: true };
export const llama: TransformerArchitecture = { ...shared, keyValueHeads: 2, hidden: 40, positions: 'rotary', norm: 'rmsNorm', activation: 'swiglu', biases: false, tiedEmbeddings: false };
export const lora: LoraConfig = { rank: 3, alpha: 6, dropout: 0, targets: ['q_proj', 'down_proj'] };

/** Tensors of the reference's formula, each a fresh array. */
export function patterned(architecture: TransformerArchitecture, adapters: LoraConfig | null = null): TensorSource {
  const tensors = transformerTensors(architecture, adapters);
  return { tensors, read: (name) => pattern(name, tensors.find((tensor) => tensor.name === name)!.shape.reduce((a, b) => a * b), 0) };
}

/** Everything trains, without dropout, where `options` do not say otherwise. */
export function buildTiny(engine: Engine, architecture: TransformerArchitecture, options: Partial<TransformerOptions> = {}): Transformer {
  return createTransformer(engine, {
    architecture, dropout: 0, lora: null, trains: () => true, recompute: false,
    initial: { kind: 'tensors', tensors: patterned(architecture, options.lora ?? null), seed: 1 }, ...options,
  });
}
