import type { StoredTensor } from '@lockstep/core';
import type { EncoderArchitecture } from './encoder-architecture.ts';

/**
 * The tensors of an encoder, named in the spirit of a decoder's, linear weights `[out, in]`, all linear layers and norms with a bias:
 * `model.embed_tokens`, `model.embed_positions`, `model.embed_token_types`, `model.embed_norm`,
 * `model.layers.N.self_attn.{q,k,v,o}_proj`, `.self_attn_norm` (behind attention), `.mlp.{up,down}_proj`, `.mlp_norm` (behind the feed-forward part),
 * and `model.pooler` where it has one.
 */
export function encoderTensors(architecture: EncoderArchitecture): readonly StoredTensor[] {
  const { vocabularySize, contextLength, typeVocabularySize, width, depth, pooler } = architecture;
  return [
    { name: 'model.embed_tokens.weight', shape: [vocabularySize, width] },
    { name: 'model.embed_positions.weight', shape: [contextLength, width] },
    { name: 'model.embed_token_types.weight', shape: [typeVocabularySize, width] },
    ...withBias('model.embed_norm', [width]),
    ...Array.from({ length: depth }, (_, layer) => layerTensors(`model.layers.${layer}`, architecture)).flat(),
    ...(pooler ? withBias('model.pooler', [width, width]) : []),
  ];
}

function layerTensors(prefix: string, { width, hidden }: EncoderArchitecture): StoredTensor[] {
  return [
    ...['q', 'k', 'v', 'o'].flatMap((part) => withBias(`${prefix}.self_attn.${part}_proj`, [width, width])),
    ...withBias(`${prefix}.self_attn_norm`, [width]),
    ...withBias(`${prefix}.mlp.up_proj`, [hidden, width]),
    ...withBias(`${prefix}.mlp.down_proj`, [width, hidden]),
    ...withBias(`${prefix}.mlp_norm`, [width]),
  ];
}

const withBias = (name: string, shape: readonly [number, ...number[]]): StoredTensor[] => [
  { name: `${name}.weight`, shape },
  { name: `${name}.bias`, shape: [shape[0]] },
];
