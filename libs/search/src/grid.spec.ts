import { array, assert, integer, property, uniqueArray, constantFrom } from 'fast-check';
import { expect, it } from 'vitest';
import { gridPoints, type GridAxis } from './grid.ts';

const axes = uniqueArray(constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 }).chain((fields) =>
  array(uniqueArray(integer({ min: 0, max: 9 }).map(String), { minLength: 1, maxLength: 4 }), { minLength: fields.length, maxLength: fields.length })
    .map((texts): GridAxis[] => fields.map((field, index) => ({ field, texts: texts[index]! }))));

it('covers the product, each combination once, the last axis fastest', () => {
  assert(property(axes, (grid) => {
    const points = gridPoints(grid);
    const digitsOf = (point: (typeof points)[number]) => point.map(({ text }, axis) => grid[axis]!.texts.indexOf(text));
    const numbers = points.map((point) => digitsOf(point).reduce((number, digit, axis) => number * grid[axis]!.texts.length + digit, 0));
    expect(numbers).toEqual(Array.from({ length: grid.reduce((product, { texts }) => product * texts.length, 1) }, (_, number) => number));
    for (const point of points) expect(point.map(({ field }) => field)).toEqual(grid.map(({ field }) => field));
  }));
});
