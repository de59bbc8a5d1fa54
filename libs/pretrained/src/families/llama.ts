import type { TransformerArchitecture } from '@lockstep/core';
import { z } from 'zod';
import { checkFields } from '../formats/checked-fields.ts';
import { asItIs, type ModelDescription, type TensorLayout } from './family.ts';
import { count, layerCount, unquantized } from './field-schemas.ts';

const DEFAULT_ROPE_THETA = 10_000;
const plainRope = z.looseObject({
  rope_type: z.literal('default').optional(), type: z.literal('default').optional(),
  rope_theta: z.number().positive().optional(), partial_rotary_factor: z.literal(1).nullish(),
});

/** The fields of config.json on which a Llama's function depends; defaults are transformers' own. */
const llamaSchema = z.looseObject({
  vocab_size: count, hidden_size: count, intermediate_size: count, num_hidden_layers: layerCount, num_attention_heads: count, max_position_embeddings: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  hidden_act: z.literal('silu').default('silu'),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: plainRope.nullish(),
  /** Where transformers 5 writes `rope_theta` and what was `rope_scaling`. */
  rope_parameters: plainRope.nullish(),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(false),
  quantization_config: unquantized,
});
type LlamaFields = z.output<typeof llamaSchema>;

const mistralSchema = llamaSchema.extend({ num_key_value_heads: count, sliding_window: count.nullable().default(4096) });

const computable = llamaSchema
  .refine((fields) => fields.attention_bias === fields.mlp_bias, { path: ['attention_bias'], message: 'expected the same as mlp_bias: Lockstep has biases in all linear layers or in none' })
  .refine((fields) => fields.num_attention_heads % keyValueHeadsOf(fields) === 0, { path: ['num_key_value_heads'], message: 'expected a divisor of num_attention_heads' })
  .refine((fields) => headWidthOf(fields) % 2 === 0, { path: ['head_dim'], message: 'expected an even number, or hidden_size to be an even multiple of num_attention_heads' });

const withoutWindow = mistralSchema.refine(({ sliding_window: window, max_position_embeddings: context }) => window === null || window >= context, {
  path: ['sliding_window'], message: 'expected null or no less than max_position_embeddings: Lockstep has no sliding windows',
});

/** A Llama by its config.json. @throws LockstepError `data` naming each field whose value Lockstep does not compute with. */
export function describeLlama(path: string, config: unknown): ModelDescription {
  const fields = checkFields(path, config, computable);
  const architecture: TransformerArchitecture = {
    vocabularySize: fields.vocab_size, depth: fields.num_hidden_layers, width: fields.hidden_size, hidden: fields.intermediate_size,
    heads: fields.num_attention_heads, keyValueHeads: keyValueHeadsOf(fields), headWidth: headWidthOf(fields),
    contextLength: fields.max_position_embeddings, tiedEmbeddings: fields.tie_word_embeddings,
    positions: 'rotary', ropeTheta: fields.rope_parameters?.rope_theta ?? fields.rope_theta ?? DEFAULT_ROPE_THETA,
    norm: 'rmsNorm', normEpsilon: fields.rms_norm_eps, activation: 'swiglu', biases: fields.mlp_bias,
  };
  return { kind: 'decoder', architecture, layout: llamaLayout(architecture) };
}

/** A Mistral whose context fits in its window is a Llama. @throws as `describeLlama`. */
export function describeMistral(path: string, config: unknown): ModelDescription {
  return describeLlama(path, checkFields(path, config, withoutWindow));
}

const keyValueHeadsOf = (fields: LlamaFields): number => fields.num_key_value_heads ?? fields.num_attention_heads;
const headWidthOf = (fields: LlamaFields): number => fields.head_dim ?? fields.hidden_size / fields.num_attention_heads;

/** Lockstep's own names are Llama's. */
function llamaLayout({ tiedEmbeddings }: TransformerArchitecture): TensorLayout {
  return {
    optionalPrefix: '',
    locate: (tensor) => ({ stored: tensor, arrange: asItIs }),
    isRedundant: (name) => name.endsWith('.rotary_emb.inv_freq') || (tiedEmbeddings && name === 'lm_head.weight'),
  };
}
