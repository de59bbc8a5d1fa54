import { describe, expect, it } from 'vitest';
import { totalOf } from './breakdown.ts';
import { clusterSchema, type Cluster, type ClusterOptions } from './cluster.ts';
import { predict, predictAll } from './predict.ts';

const MILLION = 1_000_000;
const OPTIONS = { steps: 4, seed: 1 };
/** A model of a million parameters on workers that take 10 ms a micro-batch, two each; nothing else takes time but what a test names. */
const clusterOf = (changes: ClusterOptions): Cluster => clusterSchema.parse({
  parameters: MILLION, microBatchSize: 1, microBatchMs: 10, microBatchesPerWorker: 2, jitter: 0, workersPerHost: 1,
  linkGbps: 1e9, delayMs: 0, processMBps: 1e12, copyGBps: 1e9, memoryGBps: 1e9, messageMs: 0, overheadMs: 0, reduceGBps: 1e9, optimizerPerSecond: 1e18,
  checkpointMinutes: null, ...changes,
});
const partsOf = (changes: ClusterOptions, workers: number) => predict(clusterOf(changes), workers, OPTIONS).parts;

describe('one worker beside its shard', () => {
  it('takes what it computes, the exchange in memory and the optimizer', () => {
    const { stepMs, parts } = predict(clusterOf({ coordinatorOnFirstHost: true, copyGBps: 4, messageMs: 0.5, overheadMs: 3, reduceGBps: 8, optimizerPerSecond: 5e8 }), 1, OPTIONS);
    // Written by one, read by the other, with a message for both; divided by the examples; stepped.
    expect(parts).toMatchObject({ compute: expect.closeTo(20) as number, push: expect.closeTo(2 * (1 + 0.5)) as number, reduce: expect.closeTo(1) as number, optimizer: expect.closeTo(2) as number, pull: expect.closeTo(3) as number, overhead: 3 });
    expect(stepMs).toBeCloseTo(20 + 3 + 1 + 2 + 3 + 3);
  });
});

describe('workers on hosts of their own', () => {
  it('share the link of the one that hosts the shards: twice the bytes, twice the time', () => {
    // 4 MB at 1 Gbit/s are 32 ms.
    expect(partsOf({ linkGbps: 1 }, 1)).toMatchObject({ push: expect.closeTo(32) as number, pull: expect.closeTo(32) as number });
    expect(partsOf({ linkGbps: 1 }, 2)).toMatchObject({ push: expect.closeTo(64) as number, pull: expect.closeTo(64) as number });
  });

  it('with the shards on the workers each way carries (W - 1) / W of the vector, however many there are', () => {
    for (const workers of [2, 8, 40]) {
      const expected = expect.closeTo(32 * (workers - 1) / workers) as number;
      expect(partsOf({ linkGbps: 1, shardHosts: ['workers'] }, workers)).toMatchObject({ push: expected, pull: expected });
    }
  });

  it('send half as much as bf16', () => {
    expect(partsOf({ linkGbps: 1, wireBytes: 2 }, 2)).toMatchObject({ push: expect.closeTo(32) as number });
  });

  it('are held up by a shard\'s network thread as by a link', () => {
    expect(partsOf({ processMBps: 400 }, 2)).toMatchObject({ push: expect.closeTo(20) as number, pull: expect.closeTo(20) as number });
  });

  it('wait one way\'s delay for the bytes, and send no more than a window until they are acknowledged', () => {
    // 4 MB of 50 kB windows, each 10 ms there and back.
    expect(partsOf({ delayMs: 5, windowBytes: 50_000 }, 1)).toMatchObject({ push: expect.closeTo(800 + 5) as number });
  });

  it('on one host send to the shards in memory, where these are there', () => {
    expect(partsOf({ linkGbps: 1, workersPerHost: 2, coordinatorOnFirstHost: true, copyGBps: 4 }, 2)).toMatchObject({ push: expect.closeTo(1 + 2) as number });
  });
});

describe('the assignment', () => {
  it('gives a faster worker more micro-batches', () => {
    expect(partsOf({ microBatchMs: [10, 30], microBatches: 8 }, 2).compute).toBeCloseTo(60);
  });

  it('leaves workers idle that are too many', () => {
    const [two, three] = predictAll(clusterOf({ microBatches: 2 }), [2, 3], OPTIONS);
    expect(three?.stepMs).toBeCloseTo(two!.stepMs);
    expect(three?.efficiency).toBeCloseTo(2 / 3);
  });
});

describe('workers that share cores', () => {
  it('compute one after the other where there are more of them than cores', () => {
    expect(partsOf({ workersPerHost: 4, cores: 2 }, 4).compute).toBeCloseTo(2 * 20);
    expect(partsOf({ workersPerHost: 4, cores: 2 }, 2).compute).toBeCloseTo(20);
  });

  it('slow each other down', () => {
    expect(partsOf({ workersPerHost: 2, cores: 2, contention: 0.25 }, 2).compute).toBeCloseTo(25);
  });
});

it('waits longer for the slowest the more workers there are', () => {
  const [two, many] = [2, 64].map((workers) => predict(clusterOf({ jitter: 0.1 }), workers, { steps: 30, seed: 1 }).parts.slowest);
  expect(two).toBeGreaterThan(0.5);
  expect(many).toBeGreaterThan(2 * two!);
});

it('splits a step into parts that add up to it', () => {
  const { stepMs, parts } = predict(clusterSchema.parse({ mtbfHours: 100 }), 16, OPTIONS);
  expect(totalOf(parts)).toBeCloseTo(stepMs);
  expect(Object.values(parts).every((part) => part >= 0)).toBe(true);
});

it('says the same for the same seed, and something else for another', () => {
  const cluster = clusterSchema.parse({ jitter: 0.1, shardHosts: ['workers'], mtbfHours: 100 });
  expect(predict(cluster, 12, OPTIONS)).toEqual(predict(cluster, 12, OPTIONS));
  expect(predict(cluster, 12, { ...OPTIONS, seed: 2 }).stepMs).not.toBe(predict(cluster, 12, OPTIONS).stepMs);
});

describe('the loss of workers', () => {
  const recoveryOf = (changes: ClusterOptions): number => partsOf({ mtbfHours: 100, microBatchMs: 1000, ...changes }, 8).recovery;

  it('costs in proportion to how often it comes', () => {
    expect(partsOf({}, 8).recovery).toBe(0);
    expect(recoveryOf({})).toBeGreaterThan(0);
    expect(recoveryOf({ mtbfHours: 50 })).toBeCloseTo(2 * recoveryOf({}));
  });

  it('costs half the time since a checkpoint where it takes a shard that has no replica, and little where it has one', () => {
    const workers: ClusterOptions = { shardHosts: ['workers'], checkpointMinutes: 10, restartSeconds: 8 };
    // Of a step of 2 s: 8 losses in 100 hours, each 300 s, 8 s and the detection time.
    expect(recoveryOf(workers)).toBeCloseTo(2000 * 8 * 310 / 360_000, 1);
    expect(recoveryOf({ ...workers, replicas: 1 })).toBeLessThan(recoveryOf(workers) / 4);
  });

  it('is made good by the others within the step, without it from then on', () => {
    // While 1 of 8 workers is away another has 3 micro-batches of 1 s in place of 2.
    expect(recoveryOf({ replacementSeconds: 100 })).toBeGreaterThan(2 * recoveryOf({ replacementSeconds: 10 }));
  });
});

it('counts checkpoints as the copies that the shards wait for', () => {
  const { checkpoint } = partsOf({ checkpointMinutes: 1, copyGBps: 1 }, 1);
  // 12 MB in 12 ms once a minute, of a step of 20 ms.
  expect(checkpoint).toBeCloseTo(20 * 12 / 60_000);
});
