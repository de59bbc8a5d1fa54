import { open } from 'node:fs/promises';
import { LockstepError, type StoredTensor } from '@lockstep/core';
import { BYTES_PER_ELEMENT, narrow, type ElementType } from './element-types.ts';
import { elementsOf, renderShape } from './file-tensor.ts';

/** A tensor to write; its values are asked for once, when it is its turn. */
export interface WritableTensor extends StoredTensor {
  /** Row by row. */
  values(): Float32Array;
}

/** The format wants the tensors to begin at a multiple of 8 bytes. */
const ALIGNMENT = 8;

/**
 * Writes a safetensors file (https://github.com/huggingface/safetensors), one tensor in memory at a time, and syncs it: in the order of their names,
 * and with metadata that says `pt`, without which transformers refuses to load it, so the bytes are those of safetensors' own writer.
 * @throws LockstepError `storage` if a tensor's values do not fit its shape.
 */
export async function writeSafetensors(path: string, type: ElementType, tensors: readonly WritableTensor[]): Promise<void> {
  const sorted = tensors.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const file = await open(path, 'wx');
  try {
    await file.appendFile(headerOf(type, sorted));
    for (const tensor of sorted) await file.appendFile(narrow(type, valuesOf(tensor)));
    await file.sync();
  } finally {
    await file.close();
  }
}

function valuesOf(tensor: WritableTensor): Float32Array {
  const { name, shape } = tensor;
  const values = tensor.values();
  if (values.length === elementsOf(shape)) return values;
  throw new LockstepError('storage', `tensor ${name} has ${values.length} values, its shape ${renderShape(shape)} ${elementsOf(shape)}`);
}

function headerOf(type: ElementType, tensors: readonly StoredTensor[]): Buffer {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const { name, shape } of tensors) {
    const begin = end;
    end += elementsOf(shape) * BYTES_PER_ELEMENT[type];
    header[name] = { dtype: type, shape, data_offsets: [begin, end] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const bytes = Buffer.alloc(8 + Math.ceil(json.length / ALIGNMENT) * ALIGNMENT, ' ');
  bytes.writeBigUInt64LE(BigInt(bytes.length - 8));
  json.copy(bytes, 8);
  return bytes;
}
