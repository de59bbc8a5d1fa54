/** Where GPT-2's files hold a tensor. */
export interface Gpt2Place {
  readonly name: string;
  /** A weight of Conv1D: `[in, out]`. */
  readonly isConv1d: boolean;
  /** Queries, keys and values lie side by side in one tensor: which third; null where a tensor is whole. */
  readonly third: 0 | 1 | 2 | null;
}

const LINEAR: Readonly<Record<string, readonly [name: string, third: Gpt2Place['third']]>> = {
  'self_attn.q_proj': ['attn.c_attn', 0], 'self_attn.k_proj': ['attn.c_attn', 1], 'self_attn.v_proj': ['attn.c_attn', 2],
  'self_attn.o_proj': ['attn.c_proj', null], 'mlp.up_proj': ['mlp.c_fc', null], 'mlp.down_proj': ['mlp.c_proj', null],
};
const NORMS: Readonly<Record<string, string>> = { input_layernorm: 'ln_1', post_attention_layernorm: 'ln_2' };
const OTHERS: Readonly<Record<string, string>> = {
  'model.embed_tokens.weight': 'wte.weight', 'model.embed_positions.weight': 'wpe.weight',
  'model.norm.weight': 'ln_f.weight', 'model.norm.bias': 'ln_f.bias', 'lm_head.weight': 'lm_head.weight',
};

/** The place of a tensor of a decoder by Lockstep's name for it; names without `transformer.`, which files of GPT2LMHeadModel begin with. */
export function gpt2PlaceOf(name: string): Gpt2Place {
  const [, layer, part = '', kind] = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
  if (layer === undefined) return { name: OTHERS[name]!, isConv1d: false, third: null };
  if (NORMS[part]) return { name: `h.${layer}.${NORMS[part]}.${kind}`, isConv1d: false, third: null };
  const [linear, third] = LINEAR[part]!;
  return { name: `h.${layer}.${linear}.${kind}`, isConv1d: kind === 'weight', third };
}
