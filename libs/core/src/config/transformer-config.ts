import { z } from 'zod';

const dropout = z.number().min(0).lt(1).default(0);

const shape = {
  depth: z.int().min(1).max(256).default(4),
  width: z.int().min(1).default(128),
  heads: z.int().min(1).default(4),
  /** Tokens that attention sees at most. */
  contextLength: z.int().min(2).max(131_072).default(256),
  /** The input embedding is the output layer too. */
  tiedEmbeddings: z.boolean().default(true),
  dropout,
};

/** A decoder-only Transformer trained from scratch, in the style of GPT-2 or of Llama; each part can be chosen by itself. */
export const transformerSchema = z.strictObject({
  kind: z.literal('transformer'),
  ...shape,
  /** Heads of keys and values, each of which serves as many heads of queries (grouped-query attention); null: as many as `heads`. */
  keyValueHeads: z.int().min(1).nullable().default(null),
  /** Units of the feed-forward part; null: 4 times the width, or 8/3 of it, rounded up to a multiple of 32, with `swiglu`. */
  feedForward: z.int().min(1).nullable().default(null),
  positions: z.enum(['learned', 'rotary']).default('learned'),
  /** The base of rotary positions' wavelengths. */
  ropeTheta: z.number().positive().default(10_000),
  norm: z.enum(['layerNorm', 'rmsNorm']).default('layerNorm'),
  normEpsilon: z.number().positive().default(1e-5),
  /** `gelu` is GPT-2's, by tanh. */
  activation: z.enum(['gelu', 'swiglu']).default('gelu'),
  /** Biases in every linear layer, as GPT-2 has them. */
  biases: z.boolean().default(true),
  /** Keep only each block's input and compute its inside again in the backward pass: less memory, a third more time. */
  recompute: z.boolean().default(false),
});

export type TransformerConfig = z.output<typeof transformerSchema>;

/** Everything that a decoder-only Transformer's function depends on besides its tensors. */
export interface TransformerArchitecture extends Required<Omit<TransformerConfig, 'kind' | 'dropout' | 'recompute' | 'keyValueHeads' | 'feedForward'>> {
  readonly vocabularySize: number;
  readonly keyValueHeads: number;
  /** Of one head; `width / heads` as a rule. */
  readonly headWidth: number;
  readonly hidden: number;
}

/** The architecture of a config, for a vocabulary. */
export function architectureOf({ kind: _, dropout: __, recompute: ___, feedForward, ...config }: TransformerConfig, vocabularySize: number): TransformerArchitecture {
  const { width, heads, activation } = config;
  return {
    ...config, vocabularySize,
    keyValueHeads: config.keyValueHeads ?? heads,
    headWidth: width / heads,
    hidden: feedForward ?? (activation === 'swiglu' ? Math.ceil((8 * width) / 3 / 32) * 32 : 4 * width),
  };
}

/** Adapters of low rank beside frozen linear layers (Hu et al. 2021). */
export const loraSchema = z.strictObject({
  rank: z.int().min(1).max(1024).default(8),
  /** The adapters' output is scaled by `alpha / rank`. */
  alpha: z.number().positive().default(16),
  dropout,
  /** Linear layers that get an adapter: the last parts of their names, as in PEFT's `target_modules`. */
  targets: z.array(z.string().min(1)).min(1).default(['q_proj', 'v_proj']),
});

export type LoraConfig = z.output<typeof loraSchema>;
