import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LockstepError, messageOf } from '@lockstep/core';

/** A CommonJS bundle as a module: what it exports is `default`. */
interface Bundle<Exports> {
  readonly default: Exports;
}

/** What `nsfwjs/models/mobilenet_v2` exports: loaders of a `model.json` as an object and of its weights in base64. */
interface ModelDefinition {
  readonly modelJson: () => Promise<Bundle<{ readonly modelTopology: object; readonly weightsManifest: readonly { readonly weights: readonly object[] }[] }>>;
  readonly weightBundles: readonly (() => Promise<Bundle<string>>)[];
}

/**
 * Writes the MobileNetV2 (width 1, weights of 8 bits) that the npm package `nsfwjs` carries in JavaScript files as an ordinary LayersModel:
 * `model.json` and `weights.bin`.
 * @param packageDirectory The unpacked package. Its own loaders are run.
 * @param directory Is made; files in it are replaced.
 * @throws LockstepError `prerequisite` where the package has no such model.
 */
export async function writeNsfwjsModel(packageDirectory: string, directory: string): Promise<void> {
  const { modelJson, weightBundles } = await modelDefinition(packageDirectory);
  const { default: model } = await modelJson();
  const bundles = await Promise.all(weightBundles.map((load) => load()));
  const weights = model.weightsManifest.flatMap((group) => group.weights);
  const json = { format: 'layers-model', ...model, weightsManifest: [{ paths: ['weights.bin'], weights }] };
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'weights.bin'), Buffer.concat(bundles.map((bundle) => Buffer.from(bundle.default, 'base64'))));
  await writeFile(join(directory, 'model.json'), JSON.stringify(json));
}

async function modelDefinition(packageDirectory: string): Promise<ModelDefinition> {
  const path = join(packageDirectory, 'dist', 'esm', 'models', 'mobilenet_v2.js');
  try {
    const { MobileNetV2Model } = (await import(pathToFileURL(path).href)) as { MobileNetV2Model?: ModelDefinition };
    if (MobileNetV2Model !== undefined) return MobileNetV2Model;
  } catch (cause) {
    throw new LockstepError('prerequisite', `${packageDirectory} is no nsfwjs package with MobileNetV2: ${messageOf(cause)}`, { cause, hint: 'version 4.4.0 of nsfwjs is one' });
  }
  throw new LockstepError('prerequisite', `${path} exports no MobileNetV2Model`, { hint: 'version 4.4.0 of nsfwjs does' });
}
