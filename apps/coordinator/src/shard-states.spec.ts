import { describe, expect, it } from 'vitest';
import { layOutParameters } from '@lockstep/core';
import { cutState, joinStates, type TrainingState } from './shard-states.ts';

const layout = layOutParameters([
  { name: 'kernel', shape: [7], kind: 'trainable' },
  { name: 'mean', shape: [4], kind: 'buffer' },
]);
const state: TrainingState = {
  version: 12,
  parameters: Float32Array.from({ length: 11 }, (_, index) => index),
  slots: ['exp_avg', 'exp_avg_sq'].map((name, slot) => ({ name, data: Float32Array.from({ length: 7 }, (_, index) => 100 * (slot + 1) + index) })),
};

describe('a training state', () => {
  it.each([[[0, 11]], [[0, 3, 11]], [[0, 7, 11]], [[0, 5, 9, 11]], [[0, 9, 9, 11]]])('is the same after being cut at %j and joined', (boundaries) => {
    const ranges = boundaries.slice(1).map((to, shard) => ({ from: boundaries[shard] ?? 0, to }));
    const cut = { layout, ranges, slotNames: ['exp_avg', 'exp_avg_sq'] };
    expect(joinStates(12, ranges.map((range) => cutState(state, layout, range)), cut)).toEqual(state);
  });

  it('is cut into the range of the parameters, then of each slot, buffers having none', () => {
    expect([...cutState(state, layout, { from: 5, to: 9 })]).toEqual([5, 6, 7, 8, 105, 106, 205, 206]);
    expect([...cutState(state, layout, { from: 8, to: 11 })]).toEqual([8, 9, 10]);
  });
});
