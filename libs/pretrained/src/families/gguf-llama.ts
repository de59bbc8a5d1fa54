import type { StoredTensor, TransformerArchitecture } from '@lockstep/core';
import { z } from 'zod';
import { checkFields } from '../formats/checked-fields.ts';
import type { GgufFile } from '../formats/gguf-file.ts';
import { asItIs, type ModelDescription, type TensorLayout, type TensorLocation } from './family.ts';
import { count, layerCount } from './field-schemas.ts';
import { unpairRotaryRows } from './rearrangements.ts';

const DEFAULT_ROPE_THETA = 10_000;

/** The keys on which a Llama's function depends; defaults are those of https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. */
const metadataSchema = z.looseObject({
  'general.architecture': z.literal('llama'),
  'llama.block_count': layerCount,
  'llama.context_length': count, 'llama.embedding_length': count, 'llama.feed_forward_length': count, 'llama.attention.head_count': count,
  'llama.attention.head_count_kv': count.optional(),
  'llama.attention.key_length': count.optional(),
  'llama.attention.layer_norm_rms_epsilon': z.number().positive(),
  'llama.attention.sliding_window': z.undefined().optional(),
  'llama.rope.freq_base': z.number().positive().default(DEFAULT_ROPE_THETA),
  'llama.rope.dimension_count': count.optional(),
  'llama.rope.scaling.type': z.literal('none').optional(),
  'llama.rope.scale_linear': z.literal(1).optional(),
  'llama.expert_count': z.literal(0).optional(),
});
type LlamaMetadata = z.output<typeof metadataSchema>;

const computable = metadataSchema
  .refine((keys) => keys['llama.attention.head_count'] % keyValueHeadsOf(keys) === 0, { path: ['llama.attention.head_count_kv'], message: 'expected a divisor of llama.attention.head_count' })
  .refine((keys) => headWidthOf(keys) % 2 === 0, { path: ['llama.attention.key_length'], message: 'expected an even number, or llama.embedding_length to be an even multiple of llama.attention.head_count' })
  .refine((keys) => (keys['llama.rope.dimension_count'] ?? headWidthOf(keys)) === headWidthOf(keys), { path: ['llama.rope.dimension_count'], message: 'expected the width of a head' });

/** A Llama by a GGUF file's metadata and tensors. @throws LockstepError `data` naming each key whose value Lockstep does not compute with. */
export function describeGgufLlama({ path, metadata, tensors }: GgufFile): ModelDescription {
  const keys = checkFields(path, metadata, computable);
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  const architecture: TransformerArchitecture = {
    vocabularySize: shapes.get('token_embd.weight')?.[0] ?? 0,
    depth: keys['llama.block_count'], width: keys['llama.embedding_length'], hidden: keys['llama.feed_forward_length'],
    heads: keys['llama.attention.head_count'], keyValueHeads: keyValueHeadsOf(keys), headWidth: headWidthOf(keys),
    contextLength: keys['llama.context_length'], tiedEmbeddings: !shapes.has('output.weight'),
    positions: 'rotary', ropeTheta: keys['llama.rope.freq_base'],
    norm: 'rmsNorm', normEpsilon: keys['llama.attention.layer_norm_rms_epsilon'], activation: 'swiglu', biases: shapes.has('blk.0.ffn_up.bias'),
  };
  return { kind: 'decoder', architecture, layout: layoutOf(architecture) };
}

const keyValueHeadsOf = (keys: LlamaMetadata): number => keys['llama.attention.head_count_kv'] ?? keys['llama.attention.head_count'];
const headWidthOf = (keys: LlamaMetadata): number => keys['llama.attention.key_length'] ?? keys['llama.embedding_length'] / keys['llama.attention.head_count'];

const LAYER_PARTS: Readonly<Record<string, string>> = {
  'input_layernorm': 'attn_norm', 'post_attention_layernorm': 'ffn_norm',
  'self_attn.q_proj': 'attn_q', 'self_attn.k_proj': 'attn_k', 'self_attn.v_proj': 'attn_v', 'self_attn.o_proj': 'attn_output',
  'mlp.gate_proj': 'ffn_gate', 'mlp.up_proj': 'ffn_up', 'mlp.down_proj': 'ffn_down',
};
const OTHER_PARTS: Readonly<Record<string, string>> = {
  'model.embed_tokens.weight': 'token_embd.weight', 'model.norm.weight': 'output_norm.weight', 'lm_head.weight': 'output.weight',
};

function layoutOf({ heads, keyValueHeads, headWidth }: TransformerArchitecture): TensorLayout {
  const locate = ({ name, shape }: StoredTensor): TensorLocation => {
    const [, layer, part = '', kind] = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
    const stored = { name: layer === undefined ? OTHER_PARTS[name]! : `blk.${layer}.${LAYER_PARTS[part]}.${kind}`, shape };
    if (part === 'self_attn.q_proj') return { stored, arrange: (values) => unpairRotaryRows(values, heads, headWidth) };
    if (part === 'self_attn.k_proj') return { stored, arrange: (values) => unpairRotaryRows(values, keyValueHeads, headWidth) };
    return { stored, arrange: asItIs };
  };
  return { optionalPrefix: '', locate, isRedundant: () => false };
}
