import { beforeAll, describe, expect, it } from 'vitest';
import { bytesOf, numericsSchema, runSchema, sha256, uniformStream, type RunOptions } from '@lockstep/core';
import { createTrainingModel, openLocalEngine, type Engine } from '@lockstep/engine';
import { addTallies, createKernels, createVectorCodec, emptyTally, type Kernels, leafOf, type Tally, type TreeNode, type Vector } from '@lockstep/reduction';
import { StepComputer } from './step-computer.ts';
import { ClassificationTask } from './task/classification-task.ts';
import { syntheticSplits } from './testing/synthetic-dataset.ts';

const NUM_CLASSES = 4;

let engine: Engine;
beforeAll(async () => {
  engine = await openLocalEngine(numericsSchema.parse({ engine: 'javascript' }));
});

interface Result {
  readonly node: TreeNode;
  readonly tally: Tally;
  readonly digests: readonly number[];
  readonly hash: string;
  readonly sum: Float32Array;
}

function computer(options: RunOptions = {}, kernels: Kernels = createKernels()) {
  const config = runSchema.parse({ globalBatchSize: 20, microBatches: 8, seed: 7, ...options });
  const { layers } = engine.tf;
  const layersModel = engine.tf.sequential({ layers: [
    layers.flatten({ inputShape: [8, 8, 1] }), layers.dense({ units: 6, activation: 'relu' }), layers.dropout({ rate: 0.5 }), layers.dense({ units: NUM_CLASSES }),
  ] });
  const model = createTrainingModel(engine, layersModel, { loss: config.loss, numClasses: NUM_CLASSES });
  const draw = uniformStream(3);
  model.loadParameters(model.readParameters().map(() => draw() - 0.5));
  const steps = new StepComputer(config, new ClassificationTask(config, model, syntheticSplits(45, NUM_CLASSES)), kernels);
  const compute = (step: number, nodes: readonly TreeNode[]): Result[] => {
    steps.begin();
    return [...steps.compute(step, nodes, () => false)].map(({ node, tally, digests, sum }) => ({ node, tally, digests, hash: sha256(sum), sum: new Float32Array(sum.slice().buffer) }));
  };
  return { model, compute, steps };
}

const bits = (results: readonly Result[]) => results.map(({ node, tally, digests, hash }) => ({ node, tally, digests, hash }));

describe('the partial of a node', () => {
  it('is the tree sum of its micro-batches, bit for bit, whoever computes them', () => {
    const leaves = [0, 1, 2, 3].map((index) => computer().compute(0, [leafOf(index)])[0]!);
    const [whole] = computer().compute(0, [{ level: 2, index: 0 }]);
    const add = (a: Float32Array, b: Float32Array): Float32Array => a.map((value, index) => Math.fround(value + b[index]!));
    const sum = add(add(leaves[0]!.sum, leaves[1]!.sum), add(leaves[2]!.sum, leaves[3]!.sum));
    expect(sha256(bytesOf(sum))).toBe(whole?.hash);
    expect(whole?.tally).toEqual(addTallies(addTallies(leaves[0]!.tally, leaves[1]!.tally), addTallies(leaves[2]!.tally, leaves[3]!.tally)));
    expect(whole?.digests).toEqual(leaves.flatMap(({ digests }) => digests));
    expect(new Set(whole?.digests).size).toBe(4);
    expect(whole?.tally.numExamples).toBe(10);
    expect(whole?.sum.some((value) => value !== 0)).toBe(true);
  });

  it.each(['bf16', 'int8'] as const)('in %s is, bit for bit, what a shard makes of the partials of its children', (wire) => {
    const encoded = (node: TreeNode): Uint8Array => {
      const { steps } = computer({ wire });
      steps.begin();
      const [partial] = steps.compute(0, [node], () => false);
      return partial!.sum.slice();
    };
    const kernels = createKernels();
    const { layout } = computer().model;
    const codec = createVectorCodec(kernels, kernels.wireFormats[wire], layout.trainableLength);
    const decoded = (bytes: Uint8Array): Vector => {
      const [room, vector] = [kernels.allocateBytes(bytes.length), kernels.allocate(layout.totalLength)];
      room.data.set(bytes);
      codec.decode(room, vector);
      return vector;
    };
    const [left, right] = [decoded(encoded(leafOf(2))), decoded(encoded({ level: 0, index: 3 }))];
    codec.merge(left, right);
    expect(sha256(bytesOf(decoded(encoded({ level: 1, index: 1 })).data))).toBe(sha256(bytesOf(left.data)));
    expect(left.data.some((value) => value !== 0)).toBe(true);
  });

  it('does not depend on what was computed before, dropout included', () => {
    const nodes = [{ level: 1, index: 1 }, leafOf(7)];
    const fresh = bits(computer().compute(2, nodes));
    const used = computer();
    for (const step of [5, 0, 1]) used.compute(step, [{ level: 3, index: 0 }]);
    expect(bits(used.compute(2, nodes))).toEqual(fresh);
    expect(bits(used.compute(1, nodes))).not.toEqual(fresh);
  });

  it('stays where it is while more of its step is computed', () => {
    const { steps } = computer();
    steps.begin();
    const [first] = steps.compute(0, [leafOf(0)], () => false);
    const before = sha256(first!.sum);
    const others = [...steps.compute(0, [{ level: 1, index: 1 }, leafOf(1)], () => false)];
    expect(sha256(first!.sum)).toBe(before);
    expect(new Set([first!.sum.byteOffset, ...others.map(({ sum }) => sum.byteOffset)]).size).toBe(3);
  });

  it('is the same after a warm-up', () => {
    const cold = bits(computer().compute(0, [leafOf(0)]));
    const warm = computer();
    warm.steps.warmUp();
    expect(bits(warm.compute(0, [leafOf(0)]))).toEqual(cold);
  });

  it('follows the parameters that were loaded', () => {
    const { model, compute } = computer();
    const before = bits(compute(0, [leafOf(0)]));
    const initial = model.readParameters();
    model.loadParameters(initial.map((value) => value + 0.25));
    expect(bits(compute(0, [leafOf(0)]))).not.toEqual(before);
    model.loadParameters(initial);
    expect(bits(compute(0, [leafOf(0)]))).toEqual(before);
  });

  it('is zero where the last batch has fewer samples than micro-batches', () => {
    const results = computer().compute(2, Array.from({ length: 8 }, (_, index) => leafOf(index)));
    expect(results.map(({ tally }) => tally.numExamples).reduce((a, b) => a + b)).toBe(5);
    const empty = results.filter(({ tally }) => tally.numExamples === 0);
    expect(empty).toHaveLength(3);
    for (const { sum, tally, digests } of empty) {
      expect(tally).toEqual(emptyTally);
      expect(digests).toEqual([0]);
      expect(sum.every((value) => value === 0)).toBe(true);
    }
  });
});

it('names step and micro-batch of a loss that is not finite', () => {
  const { model, compute } = computer();
  model.loadParameters(model.readParameters().fill(Number.NaN));
  expect(() => compute(1, [{ level: 1, index: 2 }])).toThrow(expect.objectContaining({
    code: 'non-finite', message: 'step 1, micro-batch 4: the loss is NaN', hint: expect.stringContaining('learning rate'),
  }));
});

it('counts a micro-batch that gives no numbers, as zeros, where such steps are skipped', () => {
  const { model, compute } = computer({ onNonFinite: 'skip' });
  model.loadParameters(model.readParameters().fill(Number.NaN));
  const [result] = compute(1, [{ level: 1, index: 2 }]);
  expect(result?.tally).toEqual({ numExamples: 5, numCorrect: 0, lossSum: 0, numNonFinite: 2 });
  expect(result?.sum.every((value) => Object.is(value, 0))).toBe(true);
  expect(result?.digests).toEqual([0, 0]);
});

it('computes nothing more once it is of no use, and goes on with the next step', () => {
  const kernels = createKernels();
  const { compute, steps } = computer({}, kernels);
  const fresh = bits(compute(2, [leafOf(0)]));
  const bytes = kernels.memory.buffer.byteLength;
  for (let round = 0; round < 50; round += 1) {
    let asked = 0;
    steps.begin();
    const partials = [...steps.compute(1, [leafOf(0), { level: 2, index: 1 }, leafOf(1)], () => (asked += 1) > 4)];
    expect(partials.map(({ node }) => node)).toEqual([leafOf(0)]);
    expect(asked).toBe(5);
  }
  expect(bits(compute(2, [leafOf(0)]))).toEqual(fresh);
  expect(kernels.memory.buffer.byteLength).toBeLessThanOrEqual(bytes + 3 * 65_536);
});

it('takes no more memory and no more tensors after many steps', () => {
  const kernels = createKernels();
  const { compute } = computer({}, kernels);
  const nodes = [{ level: 2, index: 0 }, leafOf(5)];
  for (let step = 0; step < 3; step += 1) compute(step, nodes);
  const [bytes, { numTensors }] = [kernels.memory.buffer.byteLength, engine.tf.memory()];
  for (let step = 3; step < 120; step += 1) compute(step, nodes);
  expect(kernels.memory.buffer.byteLength).toBe(bytes);
  expect(engine.tf.memory().numTensors).toBe(numTensors);
});
