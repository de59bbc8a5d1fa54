import { assertNever, LockstepError, messageOf, type BackboneConfig } from '@lockstep/core';
import type { Tf } from '@lockstep/engine';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs';
import { loadBackboneWeights, type SavedLayers } from './backbone-weights.ts';
import { innerLayers } from './inner-layers.ts';
import { mobilenetV2 } from './mobilenet.ts';
import { resnet50 } from './resnet50.ts';
import { withInputShape } from './saved-topology.ts';
import { vgg16 } from './vgg.ts';

type Layer = LayersModel['layers'][number];

/**
 * The backbone of a config from images of `inputShape` (`[height, width, 3]`) to the output of its layer `cutAt`, with its weights.
 * @param saved The file that `weights` names.
 * @throws LockstepError `config` where there is no such layer, the images are too small for it, or the weights do not fit.
 */
export async function openBackbone(tf: Tf, config: BackboneConfig, inputShape: readonly number[], saved: SavedLayers | null): Promise<LayersModel> {
  const whole = await wholeBackbone(tf, config, inputShape, saved);
  const cut = cutLayer(whole, config.cutAt);
  requireImages(cut, inputShape);
  const backbone = tf.model({ name: 'backbone', inputs: whole.inputs[0]!, outputs: outputOf(cut) });
  if (saved !== null) loadBackboneWeights(tf, backbone, saved, cut.name, new Set(innerLayers(whole).map(({ name }) => name)));
  return backbone;
}

async function wholeBackbone(tf: Tf, config: BackboneConfig, inputShape: readonly number[], saved: SavedLayers | null): Promise<LayersModel> {
  if (config.kind === 'layersModel') return savedBackbone(tf, inputShape, saved!);
  const image = tf.input({ shape: [...inputShape], name: 'backbone_input' });
  return tf.model({ inputs: image, outputs: zooBackbone(tf, config, image) });
}

function zooBackbone(tf: Tf, config: Exclude<BackboneConfig, { kind: 'layersModel' }>, image: SymbolicTensor): SymbolicTensor {
  switch (config.kind) {
    case 'mobilenetV2': return mobilenetV2(tf, image, config.alpha);
    case 'vgg16': return vgg16(tf, image);
    case 'resnet50': return resnet50(tf, image);
    default: return assertNever(config);
  }
}

async function savedBackbone(tf: Tf, inputShape: readonly number[], { path, topology }: SavedLayers): Promise<LayersModel> {
  try {
    return await tf.loadLayersModel({ load: async () => ({ modelTopology: withInputShape(topology, inputShape) }) });
  } catch (cause) {
    throw new LockstepError('config', `model.weights: ${path} is no model for images of [${inputShape.join(', ')}]: ${messageOf(cause)}`, { cause });
  }
}

function cutLayer(backbone: LayersModel, cutAt: string | null): Layer {
  const layer = cutAt === null ? backbone.layers.findLast(givesImage) : backbone.layers.find(({ name }) => name === cutAt);
  if (layer !== undefined) return layer;
  const names = backbone.layers.map(({ name }) => name);
  throw new LockstepError('config', cutAt === null ? 'model.cutAt: no layer of the backbone gives an image, so one must be named' : `model.cutAt: the backbone has no layer '${cutAt}'`, {
    hint: `its layers are ${names.join(', ')}`,
  });
}

/** Where a layer is used last: a model within the model has an output of its own besides. */
const outputOf = (layer: Layer): SymbolicTensor => layer.getOutputAt(layer.inboundNodes.length - 1) as SymbolicTensor;

const givesImage = (layer: Layer): boolean => outputOf(layer).shape.length === 4;

function requireImages(cut: Layer, inputShape: readonly number[]): void {
  if (outputOf(cut).shape.slice(1).every((size) => Number(size) > 0)) return;
  throw new LockstepError('config', `model: images of [${inputShape.join(', ')}] are too small for the backbone: nothing is left of them at layer '${cut.name}'`, {
    hint: 'make them larger by data.resize, or cut the backbone earlier by model.cutAt',
  });
}
