import type { NamedTensor } from './safetensors.ts';

/** A tensor whose bits differ between two files, or that only one of them has in this shape. */
export type TensorDifference =
  | { readonly kind: 'values'; readonly name: string; readonly numDifferent: number; readonly numElements: number; readonly largest: number }
  | { readonly kind: 'shape'; readonly name: string; readonly a: readonly number[] | null; readonly b: readonly number[] | null };

/** The tensors that differ by a bit or more, in the order of `a`, then those that only `b` has. */
export function compareTensors(a: readonly NamedTensor[], b: readonly NamedTensor[]): readonly TensorDifference[] {
  const others = new Map(b.map((tensor) => [tensor.name, tensor]));
  const known = new Set(a.map(({ name }) => name));
  const added = b.filter(({ name }) => !known.has(name));
  return [
    ...a.map((tensor) => compareTensor(tensor, others.get(tensor.name))),
    ...added.map(({ name, shape }): TensorDifference => ({ kind: 'shape', name, a: null, b: shape })),
  ].filter((difference) => difference !== null);
}

function compareTensor(a: NamedTensor, b: NamedTensor | undefined): TensorDifference | null {
  if (b === undefined || a.shape.join() !== b.shape.join()) return { kind: 'shape', name: a.name, a: a.shape, b: b?.shape ?? null };
  const [x, y] = [bitsOf(a.data), bitsOf(b.data)];
  let numDifferent = 0;
  let largest = 0;
  for (let index = 0; index < x.length; index += 1) {
    if (x[index] === y[index]) continue;
    numDifferent += 1;
    largest = Math.max(largest, Math.abs(a.data[index]! - b.data[index]!));
  }
  return numDifferent === 0 ? null : { kind: 'values', name: a.name, numDifferent, numElements: x.length, largest };
}

const bitsOf = (data: Float32Array): Uint32Array => new Uint32Array(data.buffer, data.byteOffset, data.length);
