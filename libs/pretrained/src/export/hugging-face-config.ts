import type { TransformerArchitecture } from '@lockstep/core';
import type { ExportedFamily } from './exported-family.ts';

/** What weights are stored as: PyTorch's names. */
export type ExportType = 'float32' | 'float16' | 'bfloat16';

/** The contents of a `config.json` that transformers 4 and 5 read. */
export function huggingFaceConfig(family: ExportedFamily, architecture: TransformerArchitecture, type: ExportType): object {
  const shared = { tie_word_embeddings: architecture.tiedEmbeddings, vocab_size: architecture.vocabularySize, torch_dtype: type };
  return family === 'llama' ? { ...llamaConfig(architecture), ...shared } : { ...gpt2Config(architecture), ...shared };
}

/** `rope_theta` twice: transformers 5 has it in `rope_parameters`. */
function llamaConfig(architecture: TransformerArchitecture): object {
  return {
    architectures: ['LlamaForCausalLM'], model_type: 'llama',
    hidden_size: architecture.width, intermediate_size: architecture.hidden, num_hidden_layers: architecture.depth,
    num_attention_heads: architecture.heads, num_key_value_heads: architecture.keyValueHeads, head_dim: architecture.headWidth,
    max_position_embeddings: architecture.contextLength, hidden_act: 'silu', rms_norm_eps: architecture.normEpsilon,
    attention_bias: architecture.biases, mlp_bias: architecture.biases,
    rope_theta: architecture.ropeTheta, rope_parameters: { rope_theta: architecture.ropeTheta, rope_type: 'default' },
  };
}

function gpt2Config(architecture: TransformerArchitecture): object {
  return {
    architectures: ['GPT2LMHeadModel'], model_type: 'gpt2',
    n_embd: architecture.width, n_inner: architecture.hidden, n_layer: architecture.depth, n_head: architecture.heads,
    n_positions: architecture.contextLength, activation_function: 'gelu_new', layer_norm_epsilon: architecture.normEpsilon,
  };
}
