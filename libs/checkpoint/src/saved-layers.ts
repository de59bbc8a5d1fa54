import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LockstepError, messageOf } from '@lockstep/core';
import { z } from 'zod';

const weightSchema = z.object({
  name: z.string(),
  shape: z.array(z.int().min(0)),
  dtype: z.enum(['float32', 'int32', 'bool']),
  quantization: z.object({ dtype: z.enum(['uint8', 'uint16', 'float16']), scale: z.number().exactOptional(), min: z.number().exactOptional() }).exactOptional(),
});

/** What is read of a TensorFlow.js `model.json`, whoever wrote it: the rest is left as it is. */
const modelJsonSchema = z.object({
  format: z.string().nullish(),
  modelTopology: z.record(z.string(), z.unknown()),
  weightsManifest: z.array(z.object({ paths: z.array(z.string().min(1)), weights: z.array(weightSchema) })),
});

type ModelJson = z.output<typeof modelJsonSchema>;
type SavedWeight = z.output<typeof weightSchema>;

/** A LayersModel as its files hold it. */
export interface SavedLayersFile {
  /** Of the `model.json`, absolute. */
  readonly path: string;
  readonly topology: object;
  readonly weightSpecs: SavedWeight[];
  /** One tensor after another, in the order of `weightSpecs`. */
  readonly weightData: ArrayBuffer;
}

const BYTES = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2 } as const;

/**
 * Reads a `model.json` with the weight files it names, as TensorFlow.js and its converter from Keras write them.
 * @throws LockstepError `config` naming the file that is missing, no LayersModel, or not as long as its weights.
 */
export async function readSavedLayers(path: string): Promise<SavedLayersFile> {
  const json = await readModelJson(path);
  const weightSpecs = json.weightsManifest.flatMap(({ weights }) => weights);
  const files = json.weightsManifest.flatMap(({ paths }) => paths).map((name) => resolve(dirname(path), name));
  const parts = await Promise.all(files.map((file) => readNamed(file)));
  const weightData = new Uint8Array(Buffer.concat(parts)).buffer;
  const expectedBytes = weightSpecs.reduce((sum, weight) => sum + bytesOfWeight(weight), 0);
  if (weightData.byteLength !== expectedBytes) {
    throw new LockstepError('config', `${path}: its weight files hold ${weightData.byteLength} bytes, expected ${expectedBytes} for its ${weightSpecs.length} tensors`);
  }
  return { path, topology: json.modelTopology, weightSpecs, weightData };
}

async function readModelJson(path: string): Promise<ModelJson> {
  const text = (await readNamed(path)).toString('utf8');
  const parsed = modelJsonSchema.safeParse(jsonOf(text));
  if (!parsed.success) {
    throw new LockstepError('config', `${path} is no model.json of a LayersModel: ${z.prettifyError(parsed.error).replaceAll(/\s*\n\s*/g, ' ')}`);
  }
  if (parsed.data.format !== 'graph-model') return parsed.data;
  throw new LockstepError('config', `${path} holds a graph model, expected a LayersModel`, { hint: "convert the Keras model with tensorflowjs_converter's --output_format tfjs_layers_model" });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

async function readNamed(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new LockstepError('config', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

function bytesOfWeight({ shape, dtype, quantization }: SavedWeight): number {
  return shape.reduce((product, size) => product * size, 1) * BYTES[quantization?.dtype ?? dtype];
}
