import { bytesOf, LockstepError } from '@lockstep/core';
import { alignedFloat32Array } from './aligned-array.ts';
import { isElementType, widenInto } from './element-types.ts';
import { elementsOf, type FileTensor } from './file-tensor.ts';
import { readInto } from './positioned-read.ts';
import { readSafetensorsHeader, type SafetensorsEntry } from './safetensors-header.ts';

/**
 * The tensors of one safetensors file; nothing but its header is read before they are.
 * @throws LockstepError `data` naming what is wrong with the file; `not-found`.
 */
export function openSafetensors(path: string): readonly FileTensor[] {
  return readSafetensorsHeader(path).map((entry) => ({
    name: entry.name, shape: entry.shape, file: path, type: entry.type, isReadable: isElementType(entry.type), read: () => readTensor(path, entry),
  }));
}

function readTensor(path: string, { name, type, shape, offset, numBytes }: SafetensorsEntry): Float32Array {
  if (!isElementType(type)) throw new LockstepError('data', `${path}: tensor ${name} has type ${type}, which Lockstep does not read`);
  const values = alignedFloat32Array(elementsOf(shape));
  if (type === 'F32') {
    readInto(path, offset, bytesOf(values));
    return values;
  }
  const bytes = new Uint8Array(numBytes);
  readInto(path, offset, bytes);
  widenInto(type, bytes, values);
  return values;
}
