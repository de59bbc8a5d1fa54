import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layOutParameters, layOutWholeModel, type ParameterSpec } from '@lockstep/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readInitialTensors } from './initial-tensors.ts';
import { encodeSafetensors } from './safetensors.ts';

const SPECS: readonly ParameterSpec[] = [
  { name: 'head/kernel', shape: [2], kind: 'trainable' },
  { name: 'norm/mean', shape: [1], kind: 'buffer' },
  { name: 'base/kernel', shape: [1, 3], kind: 'frozen' },
];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-initial-'));
  await writeFile(join(directory, 'model.safetensors'), Buffer.concat(encodeSafetensors(layOutWholeModel(SPECS), Float32Array.of(1, 2, 3, 4, 5, 6), { format: 'lockstep' })));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('readInitialTensors', () => {
  it("takes the tensors by name from a run's directory or its file, whatever was frozen there and whatever else it has", async () => {
    const layout = layOutParameters([{ ...SPECS[2]!, kind: 'trainable' }, SPECS[0]!]);
    for (const path of [directory, join(directory, 'model.safetensors')]) expect([...await readInitialTensors(path, layout)]).toEqual([4, 5, 6, 1, 2]);
  });

  it('lists every tensor that is missing or of another shape', async () => {
    const layout = layOutParameters([SPECS[0]!, { name: 'other/bias', shape: [4], kind: 'trainable' }, { ...SPECS[2]!, shape: [3, 1], kind: 'trainable' }]);
    await expect(readInitialTensors(directory, layout)).rejects.toThrow(expect.objectContaining({
      code: 'config',
      message: `initFrom: ${directory}/model.safetensors does not fit the model in 2 of its tensors: other/bias of shape [4] is missing; base/kernel has shape [1, 3], expected [3, 1]`,
    }));
  });

  it('names a file that is missing or no safetensors file', async () => {
    await writeFile(join(directory, 'notes.txt'), 'hello');
    const layout = layOutParameters(SPECS);
    await expect(readInitialTensors(join(directory, 'gone'), layout)).rejects.toThrow(/cannot read .*gone: ENOENT/);
    await expect(readInitialTensors(join(directory, 'notes.txt'), layout)).rejects.toThrow(/cannot read .*notes\.txt: not a valid safetensors file/);
  });
});
