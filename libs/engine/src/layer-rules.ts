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

/** A frozen BatchNorm normalises by its moving statistics and leaves them alone, as in Keras; TensorFlow.js updates them. */
export function freezeBatchNorm(model: LayersModel): void {
  for (const layer of layersOf(model as unknown as NamedLayer)) {
    if (layer.getClassName() !== 'BatchNormalization' || layer.trainable) continue;
    const call = layer.call.bind(layer);
    layer.call = (inputs, options) => call(inputs, { ...options, training: false });
  }
}
