import { expect, it } from 'vitest';
import { clusterSchema } from './cluster.ts';
import { TrainingSimulation } from './training-simulation.ts';

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

it('has the micro-batches of a worker that dies in the midst of a step made by the others', () => {
  const cluster = clusterSchema.parse({ microBatches: 16, microBatchMs: 100, jitter: 0 });
  const simulation = new TrainingSimulation(cluster, 4, 1);
  simulation.warmUp();
  const before = simulation.step();
  simulation.killAfter(200, 2);
  const [during, , after] = [simulation.step(), simulation.step(), simulation.step()];
  expect(before.shares.map(({ microBatches }) => microBatches)).toEqual([4, 4, 4, 4]);
  expect(during.shares.map(({ rank }) => rank)).toEqual([0, 1, 3]);
  expect(during.atMs - before.atMs).toBeGreaterThan(500);
  expect(after.shares.map(({ rank }) => rank)).toEqual([0, 1, 3]);
  expect(sumOf(after.shares.map(({ microBatches }) => microBatches))).toBe(16);
});

it('goes on without a worker that hangs on the way, before anybody knows that it is lost', () => {
  const simulation = new TrainingSimulation(clusterSchema.parse({ microBatches: 8, microBatchMs: 20, jitter: 0, failureDetectionMs: 60_000 }), 4, 1);
  simulation.warmUp();
  const before = simulation.step();
  simulation.killAfter(10, 1);
  // Its part goes to idle workers once the step takes three times as long as usual.
  expect(simulation.step().atMs - before.atMs).toBeLessThan(500);
});
