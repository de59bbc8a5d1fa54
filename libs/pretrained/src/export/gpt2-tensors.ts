import type { StoredTensor } from '@lockstep/core';
import { gpt2PlaceOf } from '../families/gpt2-names.ts';
import { transposeColumns } from '../families/rearrangements.ts';
import type { WritableTensor } from '../formats/safetensors-writer.ts';

/** A decoder's tensors as files of GPT2LMHeadModel have them: its names, weights `[in, out]`, queries, keys and values side by side. */
export function gpt2Tensors(tensors: readonly WritableTensor[]): readonly WritableTensor[] {
  const places = Map.groupBy(tensors, ({ name }) => gpt2PlaceOf(name).name);
  return [...places].map(([name, parts]) => ({
    name: name.startsWith('lm_head.') ? name : `transformer.${name}`,
    ...(gpt2PlaceOf(parts[0]!.name).isConv1d ? joinedTransposed(inOrder(parts)) : joined(inOrder(parts))),
  }));
}

const inOrder = (parts: readonly WritableTensor[]): readonly WritableTensor[] =>
  parts.toSorted((a, b) => (gpt2PlaceOf(a.name).third ?? 0) - (gpt2PlaceOf(b.name).third ?? 0));

type Joined = Omit<WritableTensor, 'name'>;

function joined(parts: readonly WritableTensor[]): Joined {
  const [only] = parts;
  if (parts.length === 1) return { shape: only!.shape, values: () => only!.values() };
  return { shape: [outputsOf(parts)], values: () => concatenate(parts) };
}

function joinedTransposed(parts: readonly WritableTensor[]): Joined {
  const inputs = parts[0]!.shape[1]!;
  return { shape: [inputs, outputsOf(parts)], values: () => transposeColumns(concatenate(parts), inputs, 0, inputs) };
}

const outputsOf = (parts: readonly StoredTensor[]): number => parts.reduce((sum, { shape }) => sum + shape[0]!, 0);

function concatenate(parts: readonly WritableTensor[]): Float32Array {
  const arrays = parts.map((part) => part.values());
  const whole = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const values of arrays) {
    whole.set(values, offset);
    offset += values.length;
  }
  return whole;
}
