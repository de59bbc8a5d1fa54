import type { StoredTensor } from '@lockstep/core';
import { z } from 'zod';
import type { EncoderArchitecture } from '../encoder-architecture.ts';
import { checkFields } from '../formats/checked-fields.ts';
import { asItIs, type ModelDescription, type TensorLayout, type TensorLocation } from './family.ts';
import { count, layerCount, unquantized } from './field-schemas.ts';

/** The fields of config.json on which BERT's function depends; defaults are transformers' own. */
const configSchema = z.looseObject({
  vocab_size: count, hidden_size: count, num_hidden_layers: layerCount, num_attention_heads: count, intermediate_size: count,
  max_position_embeddings: count, type_vocab_size: count,
  hidden_act: z.literal('gelu').default('gelu'),
  layer_norm_eps: z.number().positive().default(1e-12),
  position_embedding_type: z.literal('absolute').default('absolute'),
  is_decoder: z.literal(false).default(false),
  add_cross_attention: z.literal(false).default(false),
  quantization_config: unquantized,
}).refine((fields) => fields.hidden_size % fields.num_attention_heads === 0, { path: ['num_attention_heads'], message: 'expected a divisor of hidden_size' });

/** A BERT by its config.json; it has a pooler if its file has. @throws LockstepError `data` naming each field whose value Lockstep does not compute with. */
export function describeBert(path: string, config: unknown, tensors: readonly StoredTensor[]): ModelDescription {
  const fields = checkFields(path, config, configSchema);
  const architecture: EncoderArchitecture = {
    vocabularySize: fields.vocab_size, depth: fields.num_hidden_layers, width: fields.hidden_size, heads: fields.num_attention_heads,
    hidden: fields.intermediate_size, contextLength: fields.max_position_embeddings, typeVocabularySize: fields.type_vocab_size,
    normEpsilon: fields.layer_norm_eps, activation: fields.hidden_act, pooler: tensors.some(({ name }) => name.endsWith('pooler.dense.weight')),
  };
  return { kind: 'encoder', architecture, layout: LAYOUT };
}

const LAYER_PARTS: Readonly<Record<string, string>> = {
  'self_attn.q_proj': 'attention.self.query', 'self_attn.k_proj': 'attention.self.key', 'self_attn.v_proj': 'attention.self.value',
  'self_attn.o_proj': 'attention.output.dense', 'self_attn_norm': 'attention.output.LayerNorm',
  'mlp.up_proj': 'intermediate.dense', 'mlp.down_proj': 'output.dense', 'mlp_norm': 'output.LayerNorm',
};
const OTHER_PARTS: Readonly<Record<string, string>> = {
  'embed_tokens': 'embeddings.word_embeddings', 'embed_positions': 'embeddings.position_embeddings', 'embed_token_types': 'embeddings.token_type_embeddings',
  'embed_norm': 'embeddings.LayerNorm', 'pooler': 'pooler.dense',
};

/** Heads that BERT was pretrained with (`cls.`) are no part of the encoder. */
const LAYOUT: TensorLayout = {
  optionalPrefix: 'bert.',
  locate,
  isRedundant: (name) => name === 'embeddings.position_ids' || name.startsWith('cls.'),
};

function locate({ name, shape }: StoredTensor): TensorLocation {
  const [, layer, part, kind] = /^model\.(?:layers\.(\d+)\.)?(.+)\.(weight|bias)$/.exec(name)!;
  const place = layer === undefined ? OTHER_PARTS[part!] : `encoder.layer.${layer}.${LAYER_PARTS[part!]}`;
  return { stored: { name: `${place}.${kind}`, shape }, arrange: asItIs };
}
