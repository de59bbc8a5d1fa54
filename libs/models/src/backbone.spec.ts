import { modelSchema, numericsSchema, type BackboneConfig, type ModelOptions } from '@lockstep/core';
import { openLocalEngine, type Engine } from '@lockstep/engine';
import type { LayersModel } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackbone } from './backbone.ts';
import type { SavedLayers } from './backbone-weights.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openLocalEngine(numericsSchema.parse({}));
});

const configOf = (options: ModelOptions): BackboneConfig => modelSchema.parse(options) as BackboneConfig;
const open = (options: ModelOptions, shape: readonly number[], saved: SavedLayers | null = null): Promise<LayersModel> => openBackbone(engine.tf, configOf(options), shape, saved);

/** Keras Applications' models with `include_top=False`: parameters as `model.summary()` counts them, output for 64x64x3. */
const ZOO: readonly (readonly [ModelOptions, number, readonly number[], readonly string[]])[] = [
  [{ kind: 'mobilenetV2' }, 2_257_984, [2, 2, 1280], ['Conv1', 'expanded_conv_depthwise', 'block_1_pad', 'block_16_project_BN', 'Conv_1_bn']],
  [{ kind: 'mobilenetV2', alpha: 0.35 }, 410_208, [2, 2, 1280], ['block_12_add']],
  [{ kind: 'vgg16' }, 14_714_688, [2, 2, 512], ['block1_conv1', 'block5_conv3']],
  [{ kind: 'resnet50' }, 23_587_712, [2, 2, 2048], ['conv1_bn', 'conv2_block1_0_conv', 'conv4_block6_2_bn']],
];

describe.each(ZOO)('%j', (options, parameters, shape, names) => {
  it('has the parameters, the output and the layers of Keras Applications', async () => {
    const model = await open(options, [64, 64, 3]);
    expect(model.countParams()).toBe(parameters);
    expect(model.outputs[0]!.shape).toEqual([null, ...shape]);
    for (const name of names) expect(model.getLayer(name).name).toBe(name);
  });
});

describe('a backbone from a file', () => {
  const first = () => engine.tf.layers.conv2d({ inputShape: [8, 8, 3], filters: 4, kernelSize: 3, padding: 'same', name: 'first' });
  const second = () => engine.tf.layers.conv2d({ filters: 5, kernelSize: 3, padding: 'same', name: 'second' });
  const classifier = () => [engine.tf.layers.globalAveragePooling2d({ name: 'pool' }), engine.tf.layers.dense({ units: 7, name: 'classes' })];

  /** Two convolutions and a classifier, saved for images of 8x8. */
  const saved = () => save(engine.tf.sequential({ layers: [first(), second(), ...classifier()] }));

  async function save(model: LayersModel): Promise<SavedLayers & { readonly model: LayersModel }> {
    let artifacts: Parameters<Parameters<Engine['tf']['io']['withSaveHandler']>[0]>[0] | undefined;
    await model.save(engine.tf.io.withSaveHandler(async (given) => {
      artifacts = given;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }));
    const { modelTopology, weightSpecs, weightData } = artifacts!;
    return { model, path: '/models/small/model.json', topology: modelTopology as object, weightSpecs: weightSpecs!, weightData: weightData as ArrayBuffer };
  }

  const options = (more: object = {}): ModelOptions => ({ kind: 'layersModel', weights: '/models/small/model.json', expects: 'unit', ...more });

  it('is cut before its classifier, has the weights of the file and takes images of another size', async () => {
    const file = await saved();
    const backbone = await open(options(), [12, 10, 3], file);
    expect(backbone.outputs[0]!.shape).toEqual([null, 12, 10, 5]);
    const [image] = [engine.tf.randomUniform([1, 8, 8, 3], 0, 1, 'float32', 3)];
    const square = await open(options(), [8, 8, 3], file);
    const expected = engine.tf.model({ inputs: file.model.inputs, outputs: file.model.getLayer('second').output }).predict(image!) as typeof image;
    expect([...(square.predict(image!) as typeof image)!.dataSync()]).toEqual([...expected!.dataSync()]);
  });

  it('may be a model within a model', async () => {
    const { sequential } = engine.tf;
    const file = await save(sequential({ layers: [sequential({ name: 'inner', layers: [first(), second()] }), ...classifier()] }));
    const backbone = await open(options(), [12, 10, 3], file);
    expect(backbone.outputs[0]!.shape).toEqual([null, 12, 10, 5]);
    expect(backbone.weights.map(({ originalName }) => originalName)).toEqual(['first/kernel', 'first/bias', 'second/kernel', 'second/bias']);
    expect(backbone.weights.map((weight) => weight.read().dataSync())).toEqual(file.model.weights.slice(0, 4).map((weight) => weight.read().dataSync()));
  });

  it('is cut at the layer that the config names', async () => {
    const file = await saved();
    expect((await open(options({ cutAt: 'first' }), [8, 8, 3], file)).outputs[0]!.shape).toEqual([null, 8, 8, 4]);
    await expect(open(options({ cutAt: 'third' }), [8, 8, 3], file)).rejects.toThrow(expect.objectContaining({
      code: 'config', message: "model.cutAt: the backbone has no layer 'third'", hint: expect.stringContaining('first, second, pool'),
    }));
  });

  it('that lacks tensors, has them in another shape or has others is refused with a list of them', async () => {
    const file = await saved();
    const weightSpecs = file.weightSpecs.map((spec) => (spec.name === 'first/kernel' ? { ...spec, name: 'zeroth/kernel' } : spec.name === 'second/bias' ? { ...spec, shape: [6] } : spec));
    await expect(open(options(), [8, 8, 3], { ...file, weightSpecs })).rejects.toThrow(expect.objectContaining({
      code: 'config',
      message: 'model.weights: /models/small/model.json does not fit the backbone in 3 of its tensors: first/kernel of shape [3, 3, 3, 4] is missing; '
        + 'second/bias has shape [6], expected [5]; zeroth/kernel is in no layer of the backbone',
    }));
  });

  it('of another architecture than the kind says is refused', async () => {
    await expect(open({ kind: 'vgg16', weights: '/models/small/model.json' }, [32, 32, 3], await saved())).rejects.toThrow(/does not fit the backbone in 32 of its tensors: block1_conv1\/kernel .*classes\/bias is in no layer/);
  });

  it('for images that are too small is refused before anything is computed', async () => {
    await expect(open({ kind: 'vgg16' }, [16, 16, 3])).rejects.toThrow(/images of \[16, 16, 3\] are too small for the backbone: nothing is left of them at layer 'block5_pool'/);
    expect((await open({ kind: 'vgg16', cutAt: 'block3_pool' }, [16, 16, 3])).outputs[0]!.shape).toEqual([null, 2, 2, 256]);
  });
});
