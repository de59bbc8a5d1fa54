import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesOf, sha256, type TensorSource } from '@lockstep/core';
import { elementsOf, renderShape } from '../formats/file-tensor.ts';

const TINY = join(import.meta.dirname, '../../reference/tiny');

/** A model or file that reference/tiny-models.py wrote. */
export const tiny = (name: string): string => join(TINY, name);

interface Expected {
  readonly tokenizer: { readonly text: string; readonly ids: readonly number[] };
  /** Of each model, by Lockstep's name: shape and the beginning of the SHA-256 of the values. */
  readonly [model: string]: Readonly<Record<string, unknown>>;
}

export const expected = JSON.parse(readFileSync(tiny('expected.json'), 'utf8')) as Expected;

/** A model's tensors as reference/tiny-models.py tells them. */
export function tell({ tensors, read }: TensorSource): Record<string, string> {
  return Object.fromEntries(tensors.map(({ name, shape }) => {
    const values = read(name);
    if (values.length !== elementsOf(shape)) throw new Error(`${name} has ${values.length} values`);
    return [name, `${renderShape(shape)} ${sha256(bytesOf(values)).slice(0, 16)}`];
  }));
}
