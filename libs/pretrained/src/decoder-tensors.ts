import type { StoredTensor, TransformerArchitecture } from '@lockstep/core';

/**
 * The tensors of a decoder, named as in Hugging Face's Llama, linear weights `[out, in]`; `model.embed_positions.weight` for learned positions.
 * Norms have a bias with `layerNorm`, linear layers with `biases`, `mlp.gate_proj` is there with `swiglu`, `lm_head.weight` without tied embeddings.
 */
export function decoderTensors(architecture: TransformerArchitecture): readonly StoredTensor[] {
  const { depth, width, vocabularySize, contextLength } = architecture;
  return [
    { name: 'model.embed_tokens.weight', shape: [vocabularySize, width] },
    ...(architecture.positions === 'learned' ? [{ name: 'model.embed_positions.weight', shape: [contextLength, width] }] : []),
    ...Array.from({ length: depth }, (_, layer) => layerTensors(`model.layers.${layer}`, architecture)).flat(),
    ...normTensors('model.norm', architecture),
    ...(architecture.tiedEmbeddings ? [] : [{ name: 'lm_head.weight', shape: [vocabularySize, width] }]),
  ];
}

function layerTensors(prefix: string, architecture: TransformerArchitecture): StoredTensor[] {
  const { width, hidden, heads, keyValueHeads, headWidth, activation } = architecture;
  const linear = (name: string, outputs: number, inputs: number): StoredTensor[] => [
    { name: `${prefix}.${name}.weight`, shape: [outputs, inputs] },
    ...(architecture.biases ? [{ name: `${prefix}.${name}.bias`, shape: [outputs] }] : []),
  ];
  return [
    ...normTensors(`${prefix}.input_layernorm`, architecture),
    ...linear('self_attn.q_proj', heads * headWidth, width),
    ...linear('self_attn.k_proj', keyValueHeads * headWidth, width),
    ...linear('self_attn.v_proj', keyValueHeads * headWidth, width),
    ...linear('self_attn.o_proj', width, heads * headWidth),
    ...normTensors(`${prefix}.post_attention_layernorm`, architecture),
    ...(activation === 'swiglu' ? linear('mlp.gate_proj', hidden, width) : []),
    ...linear('mlp.up_proj', hidden, width),
    ...linear('mlp.down_proj', width, hidden),
  ];
}

function normTensors(name: string, { width, norm }: TransformerArchitecture): StoredTensor[] {
  const weight = { name: `${name}.weight`, shape: [width] };
  return norm === 'layerNorm' ? [weight, { name: `${name}.bias`, shape: [width] }] : [weight];
}
