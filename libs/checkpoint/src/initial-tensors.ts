import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LockstepError, messageOf, type ParameterLayout } from '@lockstep/core';
import { decodeSafetensors, type NamedTensor } from './safetensors.ts';

/**
 * The values that `layout` begins with, as one vector, from the final model of another run: the tensors of the same names. Others in the file are left.
 * @param path A run's directory, or a safetensors file.
 * @throws LockstepError `config` where the file cannot be read, or listing the tensors that it lacks or has in another shape.
 */
export async function readInitialTensors(path: string, layout: ParameterLayout): Promise<Float32Array> {
  const file = await fileOf(path);
  const byName = new Map((await readTensors(file)).map((tensor) => [tensor.name, tensor]));
  const mistakes = layout.parameters.flatMap(({ name, shape }) => mistakeOf(name, shape, byName.get(name)));
  if (mistakes.length > 0) throw new LockstepError('config', `initFrom: ${file} does not fit the model in ${mistakes.length} of its tensors: ${mistakes.join('; ')}`);
  const flat = new Float32Array(layout.totalLength);
  for (const { name, offset } of layout.parameters) flat.set(byName.get(name)!.data, offset);
  return flat;
}

async function fileOf(path: string): Promise<string> {
  const isDirectory = await stat(path).then((found) => found.isDirectory(), () => false);
  return isDirectory ? join(path, 'model.safetensors') : path;
}

async function readTensors(file: string): Promise<readonly NamedTensor[]> {
  try {
    return decodeSafetensors(await readFile(file)).tensors;
  } catch (cause) {
    throw new LockstepError('config', `cannot read ${file}: ${messageOf(cause)}`, { cause });
  }
}

function mistakeOf(name: string, shape: readonly number[], found: NamedTensor | undefined): string[] {
  if (found === undefined) return [`${name} of shape [${shape.join(', ')}] is missing`];
  return found.shape.join() === shape.join() ? [] : [`${name} has shape [${found.shape.join(', ')}], expected [${shape.join(', ')}]`];
}
