import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layOutParameters } from '@lockstep/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeLayersModel } from './layers-model.ts';
import { readSavedLayers } from './saved-layers.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-layers-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function write(json: object, files: Readonly<Record<string, Uint8Array>> = {}): Promise<string> {
  const path = join(directory, 'model.json');
  await writeFile(path, JSON.stringify(json));
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(directory, name), bytes);
  return path;
}

const KERNEL = { name: 'a/kernel', shape: [2, 2], dtype: 'float32' };
const QUANTIZED = { name: 'b/kernel', shape: [3], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.5, min: -1 } };

describe('readSavedLayers', () => {
  it('reads what was written, whole', async () => {
    const layout = layOutParameters([{ name: 'a/kernel', shape: [2, 2], kind: 'trainable' }]);
    await writeLayersModel(join(directory, 'model'), { topology: { class_name: 'Model' }, layout, vectors: [Float32Array.of(1, 2, 3, 4)] });
    const path = join(directory, 'model', 'model.json');
    const saved = await readSavedLayers(path);
    expect(saved).toMatchObject({ path, topology: { class_name: 'Model' }, weightSpecs: [KERNEL] });
    expect([...new Float32Array(saved.weightData)]).toEqual([1, 2, 3, 4]);
  });

  it('joins the files of all groups in order and keeps how weights are quantized', async () => {
    const path = await write(
      { format: 'layers-model', modelTopology: {}, weightsManifest: [{ paths: ['one', 'two'], weights: [KERNEL] }, { paths: ['three'], weights: [QUANTIZED] }] },
      { one: new Uint8Array(10).fill(1), two: new Uint8Array(6).fill(2), three: Uint8Array.of(7, 8, 9) },
    );
    const { weightData, weightSpecs } = await readSavedLayers(path);
    expect([...new Uint8Array(weightData)]).toEqual([...Array(10).fill(1), ...Array(6).fill(2), 7, 8, 9]);
    expect(weightSpecs).toEqual([KERNEL, QUANTIZED]);
  });

  it.each<[string, object, RegExp]>([
    ['another JSON', { hello: 1 }, /is no model.json of a LayersModel: .*modelTopology/],
    ['a graph model', { format: 'graph-model', modelTopology: {}, weightsManifest: [] }, /holds a graph model, expected a LayersModel/],
    ['a missing weight file', { modelTopology: {}, weightsManifest: [{ paths: ['gone.bin'], weights: [KERNEL] }] }, /cannot read .*gone\.bin: ENOENT/],
    ['a weight file that is cut short', { modelTopology: {}, weightsManifest: [{ paths: ['short.bin'], weights: [KERNEL] }] }, /hold 5 bytes, expected 16 for its 1 tensors/],
  ])('refuses %s', async (_, json, message) => {
    const path = await write(json, { 'short.bin': new Uint8Array(5) });
    await expect(readSavedLayers(path)).rejects.toThrow(expect.objectContaining({ code: 'config', message: expect.stringMatching(message) }));
  });
});
