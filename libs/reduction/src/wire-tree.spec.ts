import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitsOf, randomFloats } from '../reference/random-floats.ts';
import { createKernels } from './kernels.ts';
import { createVectorCodec, type VectorCodec } from './vector-codec.ts';
import { leafOf, microBatchesOf, nodesOf, type TreeNode } from './tree.ts';
import { TreeReduction } from './tree-reduction.ts';
import type { Vector } from './vector.ts';
import type { WireFormat } from './wire-format.ts';

const MICRO_BATCHES = 8;
const LENGTH = 200;
/** The rest are buffers, beginning inside a block. */
const TRAINABLE = 170;
const kernels = createKernels();

interface Cluster {
  /** The worker of each micro-batch. */
  readonly ranks: readonly number[];
  /** Where the vector is cut into shards, in blocks. */
  readonly cuts: readonly number[];
  /** Order in which partials arrive. */
  readonly order: readonly number[];
}

const clusters: fc.Arbitrary<Cluster> = fc.record({
  ranks: fc.array(fc.nat(3), { minLength: MICRO_BATCHES, maxLength: MICRO_BATCHES }),
  cuts: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
  order: fc.array(fc.nat(100), { minLength: MICRO_BATCHES, maxLength: MICRO_BATCHES }),
});

/** Gradients of which some elements are far smaller than others, so that every format rounds. */
function gradientOf(microBatch: number): Float32Array {
  return randomFloats(LENGTH, 100 + microBatch).map((value) => (Math.abs(value) > 1 ? value * 1e-30 : value));
}

function vectorOf(values: Float32Array): Vector {
  const vector = kernels.allocate(values.length);
  vector.data.set(values);
  return vector;
}

type Merge = VectorCodec['merge'];

function reductionBy(merge: Merge): TreeReduction<Vector> {
  return new TreeReduction<Vector>(MICRO_BATCHES, {
    merge(left, right) {
      merge(left, right);
      kernels.release(right);
      return left;
    },
    release: (vector) => kernels.release(vector),
  });
}

/** Of a range of the whole vector. */
const codecOf = (format: WireFormat, from = 0, to = LENGTH): VectorCodec =>
  createVectorCodec(kernels, format, Math.max(0, Math.min(TRAINABLE, to) - from));

/** A worker's partial of a node: every micro-batch's gradient is rounded, and every sum. */
function partialOf(format: WireFormat, node: TreeNode, merge?: Merge): Vector {
  const codec = codecOf(format);
  const reduction = reductionBy(merge ?? codec.merge);
  const { from, to } = microBatchesOf(node);
  for (let microBatch = from; microBatch < to; microBatch += 1) {
    const gradient = vectorOf(gradientOf(microBatch));
    codec.round(gradient);
    reduction.add(leafOf(microBatch), gradient);
  }
  return reduction.get(node) as Vector;
}

/** What arrives at the shard of a range: the range's bytes of the worker's encoded partial, decoded. */
function carried(format: WireFormat, partial: Vector, from: number, to: number): Vector {
  const worker = codecOf(format);
  const encoded = kernels.allocateBytes(worker.bytesFor(LENGTH));
  worker.encode(partial, encoded);
  const received = kernels.allocateBytes(worker.bytesFor(to) - worker.bytesFor(from));
  received.data.set(encoded.data.subarray(worker.bytesFor(from), worker.bytesFor(to)));
  const arrived = kernels.allocate(to - from);
  codecOf(format, from, to).decode(received, arrived);
  kernels.releaseBytes(encoded);
  kernels.releaseBytes(received);
  return arrived;
}

/** The step's gradient sum in a cluster, over the wire. */
function stepIn(format: WireFormat, { ranks, cuts, order }: Cluster, merge?: Merge): Float32Array {
  const nodesByRank = [...new Set(ranks)].flatMap((rank) => nodesOf(ranks.flatMap((owner, microBatch) => (owner === rank ? [microBatch] : []))));
  const arrivals = nodesByRank.map((node, index) => ({ node, key: order[index] ?? 0 })).sort((a, b) => a.key - b.key);
  const bounds = [0, ...cuts.map((cut) => cut * 32).sort((a, b) => a - b), LENGTH];
  const sum = new Float32Array(LENGTH);
  bounds.slice(0, -1).forEach((from, shard) => {
    const to = bounds[shard + 1] ?? LENGTH;
    const reduction = reductionBy(merge ?? codecOf(format, from, to).merge);
    for (const { node } of arrivals) reduction.add(node, carried(format, partialOf(format, node, merge), from, to));
    sum.set(reduction.root?.data ?? [], from);
  });
  return sum;
}

const ONE_WORKER: Cluster = { ranks: new Array<number>(MICRO_BATCHES).fill(0), cuts: [], order: [] };
const EACH_ITS_OWN: Cluster = { ...ONE_WORKER, ranks: [0, 1, 2, 3, 4, 5, 6, 7] };

describe.each(Object.values(kernels.wireFormats))('a step whose partials travel as $name', (format) => {
  it('has the same sum, bit for bit, for any assignment, any cut into shards and any order of arrival', () => {
    const expected = bitsOf(stepIn(format, ONE_WORKER));
    fc.assert(fc.property(clusters, (cluster) => {
      expect(bitsOf(stepIn(format, cluster))).toEqual(expected);
    }), { numRuns: 60 });
  });

  it('has the buffers of float32', () => {
    const buffers = (sum: Float32Array) => bitsOf(sum.subarray(TRAINABLE));
    expect(buffers(stepIn(format, EACH_ITS_OWN))).toEqual(buffers(stepIn(kernels.wireFormats.float32, ONE_WORKER)));
  });

  it('loses nothing of any node\'s sum on the wire', () => {
    for (let level = 0; 2 ** level <= MICRO_BATCHES; level += 1) {
      for (let index = 0; index < MICRO_BATCHES / 2 ** level; index += 1) {
        const partial = partialOf(format, { level, index });
        expect(bitsOf(carried(format, partial, 0, LENGTH).data), `node (${level}, ${index})`).toEqual(bitsOf(partial.data));
      }
    }
  });
});

it.each(['bf16', 'int8'] as const)('depends on the assignment where %s rounds only what travels', (name) => {
  const format = kernels.wireFormats[name];
  expect(bitsOf(stepIn(format, EACH_ITS_OWN, kernels.add))).not.toEqual(bitsOf(stepIn(format, ONE_WORKER, kernels.add)));
});
