import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesOf, LockstepError, messageOf, type ParameterLayout } from '@lockstep/core';
import { replaceDirectory, writeFileAtomically } from './atomic-file.ts';

export interface SavedLayersModel {
  /** What `LayersModel.toJSON(null, false)` gives. */
  readonly topology: object;
  readonly layout: ParameterLayout;
  /** One after another they make up the flat vector of `layout`. */
  readonly vectors: readonly Float32Array[];
}

interface ModelJson {
  readonly modelTopology: object;
  readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: readonly { readonly name: string; readonly shape: readonly number[]; readonly dtype: string }[] }[];
}

/**
 * Writes `model.json` and `weights.bin` as `tf.loadLayersModel` opens them. The layout's names are the LayersModel's
 * weight names, which is how TensorFlow.js matches them, buffers included.
 */
export async function writeLayersModel(directory: string, model: SavedLayersModel): Promise<void> {
  const weights = model.layout.parameters.map(({ name, shape }) => ({ name, shape, dtype: 'float32' }));
  const json = {
    format: 'layers-model',
    generatedBy: 'Lockstep',
    convertedBy: null,
    modelTopology: model.topology,
    weightsManifest: [{ paths: ['weights.bin'], weights }],
  };
  await replaceDirectory(directory, async (temporary) => {
    await writeFileAtomically(join(temporary, 'weights.bin'), model.vectors.map(bytesOf));
    await writeFileAtomically(join(temporary, 'model.json'), JSON.stringify(json));
  });
}

/**
 * Reads the topology of what `writeLayersModel` wrote, and its weights as one vector in the file's order.
 * @throws LockstepError `storage` naming the file that is missing or damaged.
 */
export async function readLayersModel(directory: string): Promise<{ topology: object; names: readonly string[]; flat: Float32Array }> {
  const path = join(directory, 'model.json');
  try {
    const json = JSON.parse(await readFile(path, 'utf8')) as ModelJson;
    const weights = json.weightsManifest.flatMap((group) => group.weights);
    const bytes = new Uint8Array(await readFile(join(directory, 'weights.bin')));
    return { topology: json.modelTopology, names: weights.map(({ name }) => name), flat: new Float32Array(bytes.buffer) };
  } catch (cause) {
    throw new LockstepError('storage', `cannot read the model in ${directory}: ${messageOf(cause)}`, { cause });
  }
}
