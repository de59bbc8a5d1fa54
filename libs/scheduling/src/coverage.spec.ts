import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SimulatedCluster, type Fault } from './simulated-cluster.ts';

const STEPS = 8;

const worker = fc.nat(5);
const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constant('join' as const), msPerMicroBatch: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ kind: fc.constant('kill' as const), worker }),
  fc.record({ kind: fc.constant('leave' as const), worker }),
  fc.record({ kind: fc.constant('cut' as const), worker }),
  fc.record({ kind: fc.constant('hang' as const), worker, ms: fc.integer({ min: 10, max: 1000 }) }),
  fc.record({ kind: fc.constant('slow' as const), worker, msPerMicroBatch: fc.integer({ min: 1, max: 400 }) }),
);
const schedule = fc.array(fc.record({ atMs: fc.integer({ min: 0, max: 1500 }), fault }), { maxLength: 12 });

it('covers every micro-batch of every step, whatever becomes of the workers and however late and disordered messages are', () => {
  fc.assert(fc.property(schedule, fc.nat(4), fc.constantFrom(null, 1, 3), fc.nat(2 ** 30), (faults, level, backupAfter, seed) => {
    const cluster = new SimulatedCluster({ microBatches: 2 ** level, backupAfter, seed, workers: 3 });
    for (const { atMs, fault: what } of [...faults].sort((a, b) => a.atMs - b.atMs)) {
      cluster.runUntil(() => cluster.nowMs >= atMs);
      cluster.apply(what);
    }
    cluster.apply({ kind: 'join', msPerMicroBatch: 5 });
    const target = cluster.step + STEPS;
    cluster.runUntil(() => cluster.step >= target || cluster.nowMs > 60_000);
    expect(cluster.step, cluster.explain?.() ?? 'no explanation').toBeGreaterThanOrEqual(target);
  }), { seed: 1, numRuns: 150 });
});

it('finishes the step of a killed worker within a few messages and the time to recompute its part', () => {
  const cluster = new SimulatedCluster({ microBatches: 8, backupAfter: null, seed: 1, workers: 4 });
  cluster.runUntil(() => cluster.step === 5);
  const { nowMs } = cluster;
  cluster.apply({ kind: 'kill', worker: 2 });
  cluster.runUntil(() => cluster.step === 6);
  expect(cluster.nowMs - nowMs).toBeLessThanOrEqual(200);
});

it('moves work away from a worker that has become slow, even when others always finish its part first', () => {
  const cluster = new SimulatedCluster({ microBatches: 16, backupAfter: 3, seed: 1, workers: 4 });
  cluster.runUntil(() => cluster.step === 10);
  const quietMs = cluster.stepMs;
  cluster.apply({ kind: 'slow', worker: 1, msPerMicroBatch: 1000 });
  cluster.runUntil(() => cluster.step === 40);
  expect(cluster.stepMs).toBeLessThanOrEqual(quietMs * 2);
});
