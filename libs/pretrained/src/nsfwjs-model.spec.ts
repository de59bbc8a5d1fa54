import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNsfwjsModel } from './nsfwjs-model.ts';

const TOPOLOGY = { class_name: 'Model', config: { layers: [] } };
const WEIGHTS = [{ name: 'a/kernel', shape: [2], dtype: 'float32', quantization: { min: 0, scale: 0.5, dtype: 'uint8' } }, { name: 'a/bias', shape: [1], dtype: 'float32' }];
const PARTS = [Uint8Array.of(1, 2, 250), Uint8Array.of(3, 4, 5)];

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lockstep-nsfwjs-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function writePackage(name: string, definition: string): Promise<string> {
  const models = join(root, name, 'dist', 'models', 'mobilenet_v2');
  const esm = join(root, name, 'dist', 'esm', 'models');
  await Promise.all([models, esm].map((directory) => mkdir(directory, { recursive: true })));
  await writeFile(join(models, 'model.cjs'), `module.exports = ${JSON.stringify({ modelTopology: TOPOLOGY, weightsManifest: [{ paths: ['a', 'b'], weights: WEIGHTS }] })}`);
  for (const [index, part] of PARTS.entries()) await writeFile(join(models, `part${index}.cjs`), `module.exports = '${Buffer.from(part).toString('base64')}'`);
  await writeFile(join(root, name, 'package.json'), '{ "type": "module" }');
  await writeFile(join(esm, 'mobilenet_v2.js'), definition);
  return join(root, name);
}

describe('writeNsfwjsModel', () => {
  it('writes what the package holds in scripts as the two files of a LayersModel', async () => {
    const source = await writePackage('whole', `export const MobileNetV2Model = {
      modelJson: () => import('../../models/mobilenet_v2/model.cjs'),
      weightBundles: [() => import('../../models/mobilenet_v2/part0.cjs'), () => import('../../models/mobilenet_v2/part1.cjs')],
    };`);
    const target = join(root, 'made', 'model');
    await writeNsfwjsModel(source, target);
    expect(JSON.parse(await readFile(join(target, 'model.json'), 'utf8'))).toEqual({
      format: 'layers-model', modelTopology: TOPOLOGY, weightsManifest: [{ paths: ['weights.bin'], weights: WEIGHTS }],
    });
    expect([...await readFile(join(target, 'weights.bin'))]).toEqual(PARTS.flatMap((part) => [...part]));
  });

  it('refuses a directory that is no such package', async () => {
    await expect(writeNsfwjsModel(join(root, 'nothing'), root)).rejects.toThrow(expect.objectContaining({ code: 'prerequisite', message: expect.stringContaining('is no nsfwjs package') }));
    const other = await writePackage('other', 'export const Other = 1;');
    await expect(writeNsfwjsModel(other, root)).rejects.toThrow(/exports no MobileNetV2Model/);
  });
});
