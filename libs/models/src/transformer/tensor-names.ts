import { LockstepError, type LoraConfig, type StoredTensor, type TransformerArchitecture } from '@lockstep/core';
import { decoderTensors } from '@lockstep/pretrained';

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
  const tensors = decoderTensors(architecture);
  if (lora === null) return [...tensors];
  const layers = new Map(tensors.filter(isLinear).map(({ name, shape }) => [name.replace(/\.weight$/, ''), shape]));
  checkTargets([...layers.keys()], lora);
  const last = architecture.biases ? /\.bias$/ : /\.weight$/;
  return tensors.flatMap((tensor) => {
    const linear = tensor.name.replace(last, '');
    const shape = linear === tensor.name || !lora.targets.includes(ownName(linear)) ? undefined : layers.get(linear);
    return shape === undefined ? [tensor] : [tensor, ...adapterOf(linear, shape, lora.rank)];
  });
}

const isLinear = ({ name, shape }: StoredTensor): boolean => name.startsWith('model.layers.') && shape.length === 2;

/** `q_proj` of `model.layers.0.self_attn.q_proj`. */
const ownName = (layer: string): string => layer.slice(layer.lastIndexOf('.') + 1);

function adapterOf(linear: string, [out = 0, inputs = 0]: readonly number[], rank: number): StoredTensor[] {
  const [a, b] = adapterNames(linear);
  return [{ name: a, shape: [rank, inputs] }, { name: b, shape: [out, rank] }];
}

function checkTargets(layers: readonly string[], { targets }: LoraConfig): void {
  const known = [...new Set(layers.map(ownName))];
  for (const target of targets) {
    if (!known.includes(target)) throw new LockstepError('config', `lora.targets: '${target}' is no linear layer of this model, expected some of ${known.join(', ')}`);
  }
}
