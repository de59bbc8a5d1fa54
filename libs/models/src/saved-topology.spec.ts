import { describe, expect, it } from 'vitest';
import { savedLayerNames, withInputShape } from './saved-topology.ts';

const layer = (name: string, config: object = {}) => ({ class_name: 'Conv2D', config: { name, ...config } });

/** As Keras' converter writes it, with a model within the model. */
const NESTED = {
  keras_version: '2.15.0',
  model_config: {
    class_name: 'Functional',
    config: {
      name: 'model',
      layers: [
        layer('image', { batch_input_shape: [null, 224, 224, 3] }),
        { class_name: 'Functional', name: 'base', config: { name: 'base', layers: [layer('inner', { batch_input_shape: [null, 224, 224, 3] }), layer('deep')] } },
        layer('list', { batch_input_shape: [null, 7] }),
      ],
    },
  },
};

describe('savedLayerNames', () => {
  it('goes through models within the model, in order', () => {
    expect(savedLayerNames(NESTED)).toEqual(['image', 'inner', 'deep', 'list']);
  });

  it('reads what TensorFlow.js wrote, and a sequential model as a list', () => {
    expect(savedLayerNames({ class_name: 'Sequential', config: { name: 'plain', layers: [layer('a'), layer('b')] } })).toEqual(['a', 'b']);
    expect(savedLayerNames({ class_name: 'Sequential', config: [layer('a'), layer('b')] })).toEqual(['a', 'b']);
  });
});

describe('withInputShape', () => {
  it('changes every image that goes in and nothing else', () => {
    const { layers } = (withInputShape(NESTED, [64, 48, 3]) as typeof NESTED).model_config.config;
    expect(layers[0]!.config).toEqual({ name: 'image', batch_input_shape: [null, 64, 48, 3] });
    expect(layers[1]!.config).toMatchObject({ layers: [{ config: { batch_input_shape: [null, 64, 48, 3] } }, { config: { name: 'deep' } }] });
    expect(layers[2]).toEqual(NESTED.model_config.config.layers[2]);
    expect(NESTED.model_config.config.layers[0]!.config).toMatchObject({ batch_input_shape: [null, 224, 224, 3] });
  });
});
