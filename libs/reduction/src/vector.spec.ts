import { mkdtempSync, openSync, readSync, rmSync, writeSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { LockstepError } from '@lockstep/core';
import { describe, expect, it } from 'vitest';
import { createKernels } from './kernels.ts';

describe('vectors', () => {
  it('start at multiples of 64 bytes, hold zeros and do not overlap', () => {
    const kernels = createKernels();
    const vectors = [1, 15, 16, 17, 1000].map((length) => kernels.allocate(length));
    vectors.forEach((vector, index) => {
      expect(vector.byteOffset % 64).toBe(0);
      expect(vector.data.every((value) => value === 0)).toBe(true);
      vector.data.fill(index + 1);
    });
    vectors.forEach((vector, index) => expect(vector.data.every((value) => value === index + 1)).toBe(true));
  });

  it('stay valid when the memory grows', () => {
    const kernels = createKernels();
    const early = kernels.allocate(1000);
    early.data.fill(2);
    const late = kernels.allocate(5_000_000);
    kernels.add(early, kernels.slice(early, 0, 1000));
    kernels.add(late, late);
    expect(early.data[999]).toBe(4);
    kernels.scale(early, 0.5);
    expect(early.data[0]).toBe(2);
  });

  it('take released bytes again, as zeros where asked, so that steps do not grow the memory', () => {
    const kernels = createKernels();
    const first = kernels.allocate(100_000);
    first.data.fill(7);
    const bytes = kernels.memory.buffer.byteLength;
    kernels.release(first);
    const second = kernels.allocateZeros(100_000);
    expect(second.data.every((value) => value === 0)).toBe(true);
    expect(kernels.memory.buffer.byteLength).toBe(bytes);
  });

  it('and bytes take each other\'s released memory', () => {
    const kernels = createKernels();
    const vector = kernels.allocate(100);
    const bytes = kernels.allocateBytes(400);
    expect(bytes.data).toHaveLength(400);
    expect(bytes.byteOffset).toBeGreaterThanOrEqual(vector.byteOffset + 400);
    kernels.releaseBytes(bytes);
    expect(kernels.allocate(99).byteOffset).toBe(bytes.byteOffset);
  });

  it('cannot be released twice, nor by a slice', () => {
    const kernels = createKernels();
    const vector = kernels.allocate(100);
    expect(() => kernels.release(kernels.slice(vector, 16, 100))).toThrow(/not allocated/);
    kernels.release(vector);
    expect(() => kernels.release(vector)).toThrow(/not allocated/);
  });

  it('say what to do when the memory is full', () => {
    const kernels = createKernels({ maximumBytes: 1_048_576 });
    const failure = captured(() => kernels.allocate(1_000_000));
    expect(failure).toMatchObject({ code: 'config', hint: expect.stringContaining('more shards') as string });
  });

  it('cannot be sliced beyond their ends', () => {
    const kernels = createKernels();
    expect(() => kernels.slice(kernels.allocate(10), 5, 11)).toThrow(RangeError);
  });

  it('are read from and written to files without a copy', () => {
    const kernels = createKernels();
    const [source, target] = [kernels.allocate(1001), kernels.allocate(1001)];
    source.data.forEach((_, index) => (source.data[index] = index / 3));
    const directory = mkdtempSync(join(tmpdir(), 'lockstep-vector-'));
    try {
      const file = openSync(join(directory, 'bytes'), 'w+');
      expect(writeSync(file, source.data, 0, source.data.byteLength, 0)).toBe(4004);
      expect(readSync(file, target.data, 0, target.data.byteLength, 0)).toBe(4004);
      closeSync(file);
    } finally {
      rmSync(directory, { recursive: true });
    }
    expect(target.data).toEqual(source.data);
  });

  it('are the same bytes in another thread', async () => {
    const kernels = createKernels();
    const vector = kernels.allocate(100);
    const source = 'const { workerData, parentPort } = require("node:worker_threads"); workerData.fill(3); parentPort.postMessage("done")';
    const worker = new Worker(source, { eval: true, workerData: vector.data });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    kernels.add(vector, vector);
    expect(Array.from(vector.data)).toEqual(Array.from({ length: 100 }, () => 6));
  });
});

function captured(action: () => unknown): unknown {
  try {
    action();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(LockstepError);
    return thrown;
  }
  return undefined;
}
