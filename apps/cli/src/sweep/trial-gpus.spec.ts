import { expect, it } from 'vitest';
import { gpusOfPlace } from './trial-gpus.ts';

const placesOf = (gpus: readonly string[], parallel: number) => Array.from({ length: parallel }, (_, place) => gpusOfPlace(gpus, place, parallel));

it('deals the GPUs out to the trials of one time', () => {
  expect(placesOf(['0', '1', '2', '3'], 2)).toEqual([['0', '2'], ['1', '3']]);
  expect(placesOf(['0', '1'], 1)).toEqual([['0', '1']]);
});

it('lets trials share a GPU where there are more of them', () => {
  expect(placesOf(['4', '7'], 3)).toEqual([['4'], ['7'], ['4']]);
});
