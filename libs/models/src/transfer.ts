import type { BackboneConfig } from '@lockstep/core';
import type { Tf } from '@lockstep/engine';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs';
import { openBackbone } from './backbone.ts';
import type { SavedLayers } from './backbone-weights.ts';
import type { ModelShape } from './build-model.ts';
import { chain } from './layer-chain.ts';
import { expectedPixels, type PixelScale } from './pixel-layer.ts';
import { freezeLayers } from './trainable-layers.ts';

/** What a backbone needs besides its config. */
export interface BackboneSource {
  readonly pixelScale: PixelScale;
  /** The file of the config's `weights`; null where it names none. */
  readonly saved: SavedLayers | null;
}

/** Pixels brought to the backbone's range, the backbone, frozen as the config says, and a head that gives one logit a class. */
export async function buildTransfer(tf: Tf, config: BackboneConfig, { sampleShape, numClasses }: ModelShape, { pixelScale, saved }: BackboneSource): Promise<LayersModel> {
  const backbone = await openBackbone(tf, config, sampleShape, saved);
  freezeLayers(backbone, config.trainable);
  const image = tf.input({ shape: [...sampleShape], name: 'image' });
  const features = chain(expectedPixels(tf, image, pixelScale, config.expects), backbone);
  return tf.model({ inputs: image, outputs: chain(features, ...headLayers(tf, features, config.dropout, numClasses)), name: config.kind });
}

function headLayers({ layers }: Tf, features: SymbolicTensor, dropout: number, numClasses: number): LayersModel['layers'] {
  return [
    ...(features.shape.length === 4 ? [layers.globalAveragePooling2d({ name: 'head_pool' })] : []),
    ...(dropout === 0 ? [] : [layers.dropout({ name: 'head_dropout', rate: dropout })]),
    layers.dense({ name: 'head', units: numClasses }),
  ];
}
