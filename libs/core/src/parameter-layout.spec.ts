import { expect, it } from 'vitest';
import fc from 'fast-check';
import { layOutParameters, layOutWholeModel, type ParameterSpec } from './parameter-layout.ts';

it('lays trainable tensors first, then buffers, each in the model\'s order', () => {
  const layout = layOutParameters([
    { name: 'a', shape: [2, 3], kind: 'trainable' },
    { name: 'mean', shape: [3], kind: 'buffer' },
    { name: 'scale', shape: [], kind: 'trainable' },
    { name: 'variance', shape: [3], kind: 'buffer' },
  ]);
  expect(layout.parameters.map(({ name, offset, length }) => [name, offset, length])).toEqual([['a', 0, 6], ['scale', 6, 1], ['mean', 7, 3], ['variance', 10, 3]]);
  expect(layout).toMatchObject({ trainableLength: 7, totalLength: 13 });
});

it('leaves frozen tensors out, which the whole model has behind the others', () => {
  const specs = [{ name: 'base', shape: [4], kind: 'frozen' }, { name: 'mean', shape: [3], kind: 'buffer' }, { name: 'head', shape: [2], kind: 'trainable' }] as const;
  expect(layOutParameters(specs)).toMatchObject({ parameters: [{ name: 'head' }, { name: 'mean' }], trainableLength: 2, totalLength: 5 });
  const whole = layOutWholeModel(specs);
  expect(whole.parameters.map(({ name, offset }) => [name, offset])).toEqual([['head', 0], ['mean', 2], ['base', 5]]);
  expect(whole).toMatchObject({ trainableLength: 2, totalLength: 9 });
});

it('is empty for no tensors', () => {
  expect(layOutParameters([])).toEqual({ parameters: [], trainableLength: 0, totalLength: 0 });
});

const specs = fc.array(fc.record({
  name: fc.string(), shape: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }), kind: fc.constantFrom('trainable', 'buffer'),
}) as fc.Arbitrary<ParameterSpec>);

it('leaves no gap and loses no tensor', () => {
  fc.assert(fc.property(specs, (models) => {
    const { parameters, trainableLength, totalLength } = layOutParameters(models);
    expect(parameters).toHaveLength(models.length);
    let next = 0;
    for (const { offset, length, kind } of parameters) {
      expect(offset).toBe(next);
      next += length;
      expect(next <= trainableLength).toBe(kind === 'trainable' || (length === 0 && offset === trainableLength && next <= trainableLength));
    }
    expect(next).toBe(totalLength);
  }), { seed: 1 });
});
