import { LockstepError } from '@lockstep/core';
import type { LayersModel } from '@tensorflow/tfjs';
import { layersOf, type NamedLayer } from './stable-names.ts';

/**
 * What a model's layers may not have, because parameters are updated outside the model.
 * @throws LockstepError `config` naming the layer.
 */
export function checkLayers(model: LayersModel): void {
  for (const layer of layersOf(model as unknown as NamedLayer)) {
    if (layer.layers !== undefined) continue;
    const constraint = Object.entries(layer.getConfig()).find(([name, value]) => name.endsWith('Constraint') && value !== null && value !== undefined);
    if (constraint !== undefined) {
      throw new LockstepError('config', `model: layer '${layer.name}' has a ${constraint[0]}, which training on a parameter server does not apply`, {
        hint: 'Leave it out; weight decay and clipping are options of the optimizer.',
      });
    }
  }
}

/** The layers that are not trained, and all within them, as in Keras; TensorFlow.js does not tell those within. */
function* frozenLayers(model: LayersModel): Generator<NamedLayer> {
  for (const layer of layersOf(model as unknown as NamedLayer)) if (!layer.trainable) yield* layersOf(layer);
}

/** The weights of frozen layers. */
export function frozenWeights(model: LayersModel): ReadonlySet<LayersModel['weights'][number]> {
  return new Set([...frozenLayers(model)].flatMap((layer) => (layer as unknown as LayersModel).weights));
}

/** A frozen BatchNorm normalises by its moving statistics and leaves them alone, as in Keras; TensorFlow.js updates them. */
export function freezeBatchNorm(model: LayersModel): void {
  for (const layer of new Set(frozenLayers(model))) {
    if (layer.getClassName() !== 'BatchNormalization') continue;
    const call = layer.call.bind(layer);
    layer.call = (inputs, options) => call(inputs, { ...options, training: false });
  }
}
