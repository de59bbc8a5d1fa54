import type { ParameterLayout } from '@lockstep/core';
import type { ShardRange } from '@lockstep/parameter-server';

/** The whole parameters with the optimizer's state, as a checkpoint holds them. */
export interface TrainingState {
  readonly version: number;
  /** The flat vector. */
  readonly parameters: Float32Array;
  /** Each over the trainable part of the flat vector. */
  readonly slots: readonly { readonly name: string; readonly data: Float32Array }[];
}

/** How a run's state is cut: the layout of the flat vector, the ranges of the shards, the optimizer's slots. */
export interface StateCut {
  readonly layout: ParameterLayout;
  readonly ranges: readonly ShardRange[];
  readonly slotNames: readonly string[];
}

const trainablePart = ({ from, to }: ShardRange, { trainableLength }: ParameterLayout): ShardRange => ({ from: Math.min(from, trainableLength), to: Math.min(to, trainableLength) });

/** One shard's state: its range of the parameters, then of each slot. */
export function cutState({ parameters, slots }: TrainingState, layout: ParameterLayout, range: ShardRange): Float32Array {
  const trainable = trainablePart(range, layout);
  const parts = [parameters.subarray(range.from, range.to), ...slots.map(({ data }) => data.subarray(trainable.from, trainable.to))];
  const state = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    state.set(part, offset);
    offset += part.length;
  }
  return state;
}

/** The whole state from those of all shards, in range order. */
export function joinStates(version: number, states: readonly Float32Array[], { layout, ranges, slotNames }: StateCut): TrainingState {
  const parameters = sharedVector(layout.totalLength);
  const slots = slotNames.map((name) => ({ name, data: sharedVector(layout.trainableLength) }));
  ranges.forEach((range, shard) => {
    const state = states[shard] ?? new Float32Array(0);
    const trainable = trainablePart(range, layout);
    parameters.set(state.subarray(0, range.to - range.from), range.from);
    let offset = range.to - range.from;
    for (const { data } of slots) {
      data.set(state.subarray(offset, offset + trainable.to - trainable.from), trainable.from);
      offset += trainable.to - trainable.from;
    }
  });
  return { version, parameters, slots };
}

/** In memory that another thread writes to a file without a copy. */
const sharedVector = (length: number): Float32Array => new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT));
