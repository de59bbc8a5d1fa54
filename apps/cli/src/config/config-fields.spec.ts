import { runSchema } from '@lockstep/core';
import { describe, expect, it } from 'vitest';
import { configFields } from './config-fields.ts';
import { DESCRIBED_FIELDS } from './field-descriptions.ts';

describe('configFields', () => {
  it('has a flag for every field, each described, and describes no other', () => {
    expect(configFields().filter(({ description }) => description === '').map(({ flag }) => flag)).toEqual([]);
    const fields = new Set(configFields().filter(({ hidden, flag }) => !hidden || flag === 'numerics.engine').map(({ path }) => path.join('.')));
    expect(new Set(DESCRIBED_FIELDS)).toEqual(fields);
  });

  it('reaches every field of the complete config', () => {
    const leaves = (value: unknown, path: string): string[] => (value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`)) : [path]);
    const complete = runSchema.parse({ earlyStopping: {}, data: { validation: 0.1, augmentation: { elastic: { alpha: 1, sigma: 1 } } } });
    const paths = new Set(configFields().map(({ path }) => path.join('.')));
    expect(leaves(complete, '').filter((path) => !paths.has(path))).toEqual([]);
  });

  it('gives a default only where the kinds of a field agree on it', () => {
    const defaultOf = (flag: string) => configFields().find((field) => field.flag === flag)!.node.default;
    expect(defaultOf('model.width')).toBeUndefined();
    expect(defaultOf('optimizer.momentum')).toBe(0);
  });

  it('writes flags in kebab case and names the kinds that have a field', () => {
    expect(configFields().find(({ flag }) => flag === 'model.dropout')).toMatchObject({ path: ['model', 'dropout'], kinds: ['mlp', 'cnn', 'cnn-small', 'rnn', 'vit', 'mobilenetV2', 'vgg16', 'resnet50', 'layersModel', 'transformer', 'pretrained'] });
    expect(configFields().map(({ flag }) => flag).filter((flag) => /[A-Z]/.test(flag))).toEqual([]);
  });
});
