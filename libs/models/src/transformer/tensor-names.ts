import { LockstepError, type LoraConfig, type StoredTensor, type TransformerArchitecture } from '@lockstep/core';

/** Names of tensors are those of Hugging Face's Llama, those of adapters PEFT's without its prefix; weights of linear layers are `[out, in]`. */
export const EMBEDDING = 'model.embed_tokens.weight';
export const POSITIONS = 'model.embed_positions.weight';
export const FINAL_NORM = 'model.norm';
export const OUTPUT = 'lm_head.weight';

export const blockName = (index: number): string => `model.layers.${index}`;

/** The two tensors of the adapter of a linear layer: `[rank, in]` and `[out, rank]`. */
export const adapterNames = (linear: string): readonly [a: string, b: string] => [`${linear}.lora_A.weight`, `${linear}.lora_B.weight`];

export const isAdapter = (name: string): boolean => /\.lora_[AB]\.weight$/.test(name);

/** All tensors of a Transformer, in its order; a layer's adapter follows it. @throws LockstepError `config` when an adapter's target is no layer. */
export function transformerTensors(architecture: TransformerArchitecture, lora: LoraConfig | null): StoredTensor[] {
  const { vocabularySize, contextLength, width, depth, positions, tiedEmbeddings } = architecture;
  checkTargets(architecture, lora);
  return [
    { name: EMBEDDING, shape: [vocabularySize, width] },
    ...(positions === 'learned' ? [{ name: POSITIONS, shape: [contextLength, width] }] : []),
    ...Array.from({ length: depth }, (_, index) => blockTensors(architecture, lora, blockName(index))).flat(),
    ...normTensors(architecture, FINAL_NORM),
    ...(tiedEmbeddings ? [] : [{ name: OUTPUT, shape: [vocabularySize, width] }]),
  ];
}

/** The linear layers of a block with the sizes `[out, in]` of their weights. */
function linearLayers({ width, heads, keyValueHeads, headWidth, hidden, activation }: TransformerArchitecture): Record<'self_attn' | 'mlp', LinearShape[]> {
  const [queryWidth, keyValueWidth] = [heads * headWidth, keyValueHeads * headWidth];
  const gate: LinearShape[] = activation === 'swiglu' ? [['gate_proj', hidden, width]] : [];
  return {
    self_attn: [['q_proj', queryWidth, width], ['k_proj', keyValueWidth, width], ['v_proj', keyValueWidth, width], ['o_proj', width, queryWidth]],
    mlp: [...gate, ['up_proj', hidden, width], ['down_proj', width, hidden]],
  };
}

type LinearShape = [name: string, out: number, inputs: number];

function blockTensors(architecture: TransformerArchitecture, lora: LoraConfig | null, block: string): StoredTensor[] {
  const layers = linearLayers(architecture);
  const rankOf = (name: string): number => (lora?.targets.includes(name) === true ? lora.rank : 0);
  const linear = (part: 'self_attn' | 'mlp') => layers[part].flatMap(([name, out, inputs]) => linearTensors(architecture, rankOf(name), `${block}.${part}.${name}`, out, inputs));
  return [
    ...normTensors(architecture, `${block}.input_layernorm`),
    ...linear('self_attn'),
    ...normTensors(architecture, `${block}.post_attention_layernorm`),
    ...linear('mlp'),
  ];
}

/** With an adapter where `rank` is above 0. */
function linearTensors({ biases }: TransformerArchitecture, rank: number, name: string, out: number, inputs: number): StoredTensor[] {
  const [a, b] = adapterNames(name);
  return [
    { name: `${name}.weight`, shape: [out, inputs] },
    ...(biases ? [{ name: `${name}.bias`, shape: [out] }] : []),
    ...(rank > 0 ? [{ name: a, shape: [rank, inputs] }, { name: b, shape: [out, rank] }] : []),
  ];
}

function normTensors({ norm, width }: TransformerArchitecture, name: string): StoredTensor[] {
  const weight = { name: `${name}.weight`, shape: [width] };
  return norm === 'layerNorm' ? [weight, { name: `${name}.bias`, shape: [width] }] : [weight];
}

function checkTargets(architecture: TransformerArchitecture, lora: LoraConfig | null): void {
  const known = Object.values(linearLayers(architecture)).flat().map(([name]) => name);
  for (const target of lora?.targets ?? []) {
    if (!known.includes(target)) throw new LockstepError('config', `lora.targets: '${target}' is no linear layer of this model, expected some of ${known.join(', ')}`);
  }
}
