import { describe, expect, it } from 'vitest';
import { sha256, uniformStream, wireSchema, type CompressedWireOptions, type LockstepError } from '@lockstep/core';
import { createKernels, createPartialDecoder, isCompressed, type TreeNode, type Vector } from '@lockstep/reduction';
import { ErrorFeedback } from './error-feedback.ts';

const [TRAINABLE, TOTAL] = [3 * 4096 + 5, 3 * 4096 + 8];
const WINDOW = 4;
const GROUP: TreeNode = { level: 1, index: 2 };
const KINDS = [{ kind: 'topK', ratio: 0.1 }, { kind: 'powerSgd', rank: 2 }] as const;

function feedback(options: CompressedWireOptions, stepsPerEpoch = 100) {
  const kernels = createKernels();
  const wire = wireSchema.parse({ groups: 4, denseEvery: WINDOW, ...options });
  if (!isCompressed(wire)) throw new Error('not compressed');
  const errors = new ErrorFeedback({ plan: { wire, stepsPerEpoch }, microBatches: 8, layout: { trainableLength: TRAINABLE, totalLength: TOTAL }, kernels });
  const sumOf = (values: Float32Array): Vector => {
    const vector = kernels.allocate(TOTAL);
    vector.data.set(values);
    return vector;
  };
  const take = (step: number, values: Float32Array) => {
    const { bytes, wire: how, release } = errors.take(step, GROUP, sumOf(values));
    const room = kernels.allocateBytes(bytes.length);
    room.data.set(bytes);
    const decoded = kernels.allocate(TOTAL);
    createPartialDecoder(kernels, how, TRAINABLE).decode(room, decoded);
    release();
    const result = { how, numBytes: bytes.length, hash: sha256(room.data), decoded: decoded.data.slice() };
    kernels.releaseBytes(room);
    kernels.release(decoded);
    return result;
  };
  return { errors, take, kernels };
}

function gradients(seed: number): Float32Array {
  const draw = uniformStream(seed);
  return Float32Array.from({ length: TOTAL }, () => draw() - 0.5);
}

const total = (vectors: readonly Float32Array[]): Float64Array => Float64Array.from({ length: TOTAL }, (_, at) => vectors.reduce((sum, vector) => sum + vector[at]!, 0));
const largestDifference = (a: Float64Array, b: Float64Array): number => a.reduce((largest, value, at) => Math.max(largest, Math.abs(value - b[at]!)), 0);

describe.each(KINDS)('what $kind holds back of a group', (options) => {
  it('travels with its next sums, all of it in the last step of a window', () => {
    const { take } = feedback(options);
    const sums = [0, 1, 2, 3].map(gradients);
    const travelled = sums.map((sum, step) => take(step, sum));
    expect(travelled.map(({ how }) => how)).toEqual([...Array.from({ length: WINDOW - 1 }, () => expect.objectContaining(options) as object), 'float32']);
    for (const { numBytes } of travelled.slice(0, -1)) expect(numBytes).toBeLessThan(TOTAL);
    expect(largestDifference(total(travelled.map(({ decoded }) => decoded)), total(sums))).toBeLessThan(1e-5);
    expect(largestDifference(total(travelled.slice(0, -1).map(({ decoded }) => decoded)), total(sums.slice(0, -1)))).toBeGreaterThan(0.1);
  });

  it('is nothing of buffers, which travel whole in every step', () => {
    const { take } = feedback(options);
    for (const step of [0, 1, 2, 3, 4]) {
      const sum = gradients(step);
      expect(take(step, sum).decoded.subarray(TRAINABLE)).toEqual(sum.subarray(TRAINABLE));
    }
  });

  it('is nothing as a window begins, whatever was before', () => {
    const used = feedback(options);
    for (const step of [0, 1, 2, 3, 8, 9]) used.take(step, gradients(step));
    const fresh = feedback(options);
    for (const step of [4, 5, 6]) expect(used.take(step, gradients(step)).hash).toBe(fresh.take(step, gradients(step)).hash);
  });

  it('is with the worker that computed the step before, so no other can go on', () => {
    const { take } = feedback(options);
    take(4, gradients(4));
    for (const step of [6, 2]) expect(() => take(step, gradients(step))).toThrow(expect.objectContaining({ code: 'protocol', message: `step ${step} of group 2 needs what it held back at step ${step - 1}, which this worker did not compute` }) as LockstepError);
  });

  it.each([100, 1])('lies in memory that is used again, in epochs of %i steps', (stepsPerEpoch) => {
    const { take, kernels } = feedback(options, stepsPerEpoch);
    for (let step = 0; step < 2 * WINDOW; step += 1) take(step, gradients(step));
    const { byteLength } = kernels.memory.buffer;
    for (let step = 2 * WINDOW; step < 20 * WINDOW; step += 1) take(step, gradients(step));
    expect(kernels.memory.buffer.byteLength).toBe(byteLength);
  });
});

it('a node is made of whole groups', () => {
  const { errors } = feedback(KINDS[0]);
  expect(errors.groupsIn({ level: 2, index: 1 })).toEqual([{ level: 1, index: 2 }, { level: 1, index: 3 }]);
  expect(errors.groupsIn(GROUP)).toEqual([GROUP]);
  expect(() => errors.groupsIn({ level: 0, index: 5 })).toThrow('expected whole groups');
});
