import { LockstepError, matchesPattern, type BackboneConfig } from '@lockstep/core';
import type { LayersModel } from '@tensorflow/tfjs';
import { innerLayers } from './inner-layers.ts';

/**
 * Freezes the layers of a backbone that do not train.
 * @throws LockstepError `config` naming each pattern that fits no layer.
 */
export function freezeLayers(backbone: LayersModel, trainable: BackboneConfig['trainable']): void {
  if (trainable === 'all') return;
  const layers = innerLayers(backbone);
  const patterns = trainable === 'head' ? [] : trainable;
  const unmatched = patterns.filter((pattern) => !layers.some(({ name }) => matchesPattern(pattern, name)));
  if (unmatched.length > 0) {
    throw new LockstepError('config', `model.trainable: no layer of the backbone is named ${unmatched.join(' or ')}`, {
      hint: `its last layers are ${layers.slice(-8).map(({ name }) => name).join(', ')}`,
    });
  }
  for (const layer of layers) layer.trainable = patterns.some((pattern) => matchesPattern(pattern, layer.name));
}
