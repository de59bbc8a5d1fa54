import { expect, it } from 'vitest';
import { compareTensors } from './tensor-comparison.ts';

const tensor = (name: string, ...values: number[]) => ({ name, shape: [values.length], data: Float32Array.from(values) });

it('finds nothing where the bits are equal, NaN included', () => {
  expect(compareTensors([tensor('a', 1, NaN)], [tensor('a', 1, NaN)])).toEqual([]);
});

it('counts the elements that differ, down to the sign of zero', () => {
  expect(compareTensors([tensor('a', 1, 2), tensor('b', 0)], [tensor('a', 1, 2.5), tensor('b', -0)])).toEqual([
    { kind: 'values', name: 'a', numDifferent: 1, numElements: 2, largest: 0.5 },
    { kind: 'values', name: 'b', numDifferent: 1, numElements: 1, largest: 0 },
  ]);
});

it('names tensors of another shape and those that only one has', () => {
  expect(compareTensors([tensor('a', 1), tensor('b', 1)], [tensor('a', 1, 2), tensor('c', 3)])).toEqual([
    { kind: 'shape', name: 'a', a: [1], b: [2] },
    { kind: 'shape', name: 'b', a: [1], b: null },
    { kind: 'shape', name: 'c', a: null, b: [1] },
  ]);
});
