import type { StoredTensor, TransformerArchitecture } from '@lockstep/core';
import { z } from 'zod';
import { alignedFloat32Array } from '../formats/aligned-array.ts';
import { checkFields } from '../formats/checked-fields.ts';
import { asItIs, type ModelDescription, type TensorLayout, type TensorLocation } from './family.ts';
import { count, layerCount, unquantized } from './field-schemas.ts';
import { gpt2PlaceOf } from './gpt2-names.ts';
import { transposeColumns } from './rearrangements.ts';

/** The fields of config.json on which GPT-2's function depends; defaults are transformers' own. */
const configSchema = z.looseObject({
  vocab_size: count, n_positions: count, n_embd: count, n_layer: layerCount, n_head: count,
  n_inner: count.nullish(),
  /** Two names for the approximation by tanh. */
  activation_function: z.enum(['gelu_new', 'gelu_pytorch_tanh']).default('gelu_new'),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  scale_attn_weights: z.literal(true).default(true),
  scale_attn_by_inverse_layer_idx: z.literal(false).default(false),
  add_cross_attention: z.literal(false).default(false),
  tie_word_embeddings: z.boolean().default(true),
  quantization_config: unquantized,
}).refine((fields) => fields.n_embd % fields.n_head === 0, { path: ['n_head'], message: 'expected a divisor of n_embd' });

/** A GPT-2 by its config.json. @throws LockstepError `data` naming each field whose value Lockstep does not compute with. */
export function describeGpt2(path: string, config: unknown): ModelDescription {
  const fields = checkFields(path, config, configSchema);
  const architecture: TransformerArchitecture = {
    vocabularySize: fields.vocab_size, depth: fields.n_layer, width: fields.n_embd, hidden: fields.n_inner ?? 4 * fields.n_embd,
    heads: fields.n_head, keyValueHeads: fields.n_head, headWidth: fields.n_embd / fields.n_head,
    contextLength: fields.n_positions, tiedEmbeddings: fields.tie_word_embeddings,
    positions: 'learned', ropeTheta: 10_000, norm: 'layerNorm', normEpsilon: fields.layer_norm_epsilon, activation: 'gelu', biases: true,
  };
  return { kind: 'decoder', architecture, layout: gpt2Layout(architecture) };
}

function gpt2Layout({ tiedEmbeddings }: TransformerArchitecture): TensorLayout {
  return {
    optionalPrefix: 'transformer.',
    locate,
    isRedundant: (name) => /^h\.\d+\.attn\.(bias|masked_bias)$/.test(name) || (tiedEmbeddings && name === 'lm_head.weight'),
  };
}

function locate({ name, shape }: StoredTensor): TensorLocation {
  const { name: storedName, isConv1d, third } = gpt2PlaceOf(name);
  const outputs = shape[0]!;
  const storedOutputs = third === null ? outputs : 3 * outputs;
  const from = (third ?? 0) * outputs;
  if (isConv1d) {
    const stored = { name: storedName, shape: [shape[1]!, storedOutputs] };
    return { stored, arrange: (values) => transposeColumns(values, storedOutputs, from, from + outputs) };
  }
  if (third === null) return { stored: { name: storedName, shape }, arrange: asItIs };
  return { stored: { name: storedName, shape: [storedOutputs] }, arrange: (values) => part(values, from, from + outputs) };
}

function part(values: Float32Array, from: number, to: number): Float32Array {
  const copy = alignedFloat32Array(to - from);
  copy.set(values.subarray(from, to));
  return copy;
}
