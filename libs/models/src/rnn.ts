import type { ModelConfig } from '@lockstep/core';
import type { Tf } from '@lockstep/engine';
import type { LayersModel } from '@tensorflow/tfjs';
import type { ModelShape } from './build-model.ts';

/** A recurrent layer over the image's rows, from top to bottom. */
export function buildRnn({ layers, sequential }: Tf, { cell, units, dropout }: Extract<ModelConfig, { kind: 'rnn' }>, { sampleShape, numClasses }: ModelShape): LayersModel {
  const [height, width, channels] = sampleShape;
  const recurrent = { name: cell, units, dropout, recurrentActivation: 'sigmoid' as const, recurrentInitializer: 'glorotUniform' as const };
  return sequential({
    name: 'rnn',
    layers: [
      layers.reshape({ name: 'rows', targetShape: [height, width * channels], inputShape: [...sampleShape] }),
      cell === 'lstm' ? layers.lstm(recurrent) : layers.gru(recurrent),
      layers.dense({ name: 'logits', units: numClasses }),
    ],
  });
}
