import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { rankOf, wireSchema, type Capabilities, type Rank, type WireConfig } from '@lockstep/core';
import { activeRanks, withActive, withLeaving, withLost, withRejoined, type Membership } from '@lockstep/scheduling';
import type { CoordinatorMessage, FinishedStep } from '@lockstep/transport';
import type { StepCoverage, UnknownCoverage } from './shard-reports.ts';
import { WorkDispatcher } from './work-dispatcher.ts';

const MICRO_BATCHES = 8;
const STEPS_PER_EPOCH = 100;
const machine: Capabilities = { engineBuild: 'tensorflow', device: 'cpu', gpuKind: null, instructionSet: 'AVX2', hostname: 'a', pid: 1 };

/** What workers were told, and the members that they are. */
class Cluster implements Disposable {
  membership: Membership = [];
  coverage: StepCoverage | UnknownCoverage = { unknown: 'the shards are being placed' };
  leastStep = 0;
  readonly sent: { readonly rank: Rank; readonly message: CoordinatorMessage }[] = [];
  readonly released: Rank[] = [];
  readonly stuck: string[] = [];
  readonly log: string[] = [];
  readonly dispatcher: WorkDispatcher;

  constructor(workers: number, wire: WireConfig = 'float32') {
    this.dispatcher = new WorkDispatcher({
      config: { microBatches: MICRO_BATCHES, backupAfter: 3, failureDetectionMs: 2000, wire },
      wirePlan: () => ({ wire, stepsPerEpoch: STEPS_PER_EPOCH }),
      membership: () => this.membership,
      ranks: () => activeRanks(this.membership),
      leastStep: () => this.leastStep,
      send: (rank, message) => this.sent.push({ rank, message }),
      coverage: () => Promise.resolve(this.coverage),
      onReleased: (rank) => this.released.push(rank),
      onStuck: (cause) => this.stuck.push(cause),
      onStall: (_, reason) => this.log.push(reason),
    });
    for (let rank = 0; rank < workers; rank += 1) this.add(rank);
  }

  add(rank: number): Rank {
    this.membership = withActive(withRejoined(this.membership, rankOf(rank), { ...machine, pid: rank }, performance.now()), rankOf(rank));
    return rankOf(rank);
  }

  begin(untilStep = 1000): this {
    this.dispatcher.begin(0);
    this.dispatcher.letGo(untilStep);
    return this;
  }

  lose(rank: number): void {
    this.membership = withLost(this.membership, rankOf(rank), 'its connection broke', performance.now());
    this.dispatcher.lost(rankOf(rank));
  }

  /** Steps of 10 ms, computed by all alike. */
  finish(from: number, to: number, computeMs: (rank: Rank) => number = () => 8): void {
    for (let step = from; step < to; step += 1) {
      vi.advanceTimersByTime(10);
      const ranks = activeRanks(this.membership);
      const workers = ranks.map((rank) => ({ rank, microBatches: MICRO_BATCHES / ranks.length, computeMs: computeMs(rank) }));
      this.dispatcher.finished({ step, numExamples: 1, numCorrect: 0, lossSum: 0, numNonFinite: 0, learningRate: 0, digests: [], workers, atMs: performance.timeOrigin + performance.now() } satisfies FinishedStep);
    }
  }

  /** The micro-batches that each worker was told to compute of a step, by its newest assignment that holds. */
  partsOf(step: number): Map<number, number[]> {
    const parts = new Map<number, number[]>();
    for (const { rank, message: { assignment } } of this.sent) {
      if (assignment && (assignment.fromStep ?? 0) <= step && step < (assignment.untilStep ?? 0)) parts.set(rank, microBatchesOf(assignment.nodes ?? []));
    }
    return parts;
  }

  get extras(): { readonly rank: number; readonly step: number; readonly microBatches: number[] }[] {
    return this.sent.flatMap(({ rank, message: { extra } }) => (extra ? { rank, step: extra.step ?? 0, microBatches: microBatchesOf(extra.nodes ?? []) } : []));
  }

  [Symbol.dispose](): void {
    this.dispatcher.stop();
  }
}

function microBatchesOf(nodes: readonly { readonly level?: number; readonly index?: number }[]): number[] {
  return nodes.flatMap(({ level = 0, index = 0 }) => Array.from({ length: 2 ** level }, (_, offset) => index * 2 ** level + offset));
}

const lacks = (step: number, missing: readonly number[], isSplit = false): StepCoverage => ({ step, missing, behind: [{ shard: 0, waitsFor: 'its replica' }], untold: [], isSplit });
const all = Array.from({ length: MICRO_BATCHES }, (_, index) => index);
const union = (parts: Iterable<readonly number[]>): number[] => [...new Set([...parts].flat())].sort((a, b) => a - b);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the parts of a step', () => {
  it('cover all micro-batches once', () => {
    using cluster = new Cluster(3).begin();
    const parts = [...cluster.partsOf(0).values()];
    expect(parts.flat().sort()).toEqual(all);
  });

  it('follow the workers\' speeds, from a coming step on', () => {
    using cluster = new Cluster(2).begin();
    cluster.finish(0, 40, (rank) => (rank === 0 ? 2 : 8));
    expect(cluster.partsOf(2).get(0)).toHaveLength(4);
    const later = cluster.partsOf(900);
    expect(later.get(0)!.length).toBeGreaterThan(4);
    expect(union(later.values())).toEqual(all);
  });

  it('go to a worker that joins from a step on that nobody has begun', () => {
    using cluster = new Cluster(2).begin();
    cluster.finish(0, 20);
    cluster.dispatcher.joined(cluster.add(2));
    expect(cluster.partsOf(20).get(2)).toBeUndefined();
    expect(cluster.partsOf(900).get(2)).not.toEqual([]);
    expect(union(cluster.partsOf(900).values())).toEqual(all);
  });

  it('go at once to a worker that finds nobody there', () => {
    using cluster = new Cluster(1).begin();
    cluster.finish(0, 20);
    cluster.lose(0);
    cluster.dispatcher.joined(cluster.add(1));
    expect(cluster.partsOf(20).get(1)).toEqual(all);
  });

  it('are told again to a worker that comes back', () => {
    using cluster = new Cluster(2).begin();
    cluster.sent.length = 0;
    cluster.dispatcher.joined(cluster.add(1));
    expect(cluster.partsOf(3).get(1)).toHaveLength(4);
  });

  it('begin anew when all shards go back', () => {
    using cluster = new Cluster(2).begin();
    cluster.finish(0, 20);
    cluster.sent.length = 0;
    cluster.dispatcher.begin(10);
    expect(union(cluster.partsOf(10).values())).toEqual(all);
  });
});

describe('a worker that is lost', () => {
  it('has its missing part of the step computed by others at once, and has none of the coming ones', async () => {
    using cluster = new Cluster(2).begin();
    cluster.finish(0, 20);
    cluster.coverage = lacks(20, [4, 5, 6, 7]);
    cluster.lose(1);
    await vi.advanceTimersByTimeAsync(0);
    expect(cluster.extras).toEqual([{ rank: 0, step: 20, microBatches: [4, 5, 6, 7] }]);
    expect(cluster.partsOf(21).get(0)).toEqual(all);
  });

  it('is looked up again until the step is done, should a message be lost', async () => {
    using cluster = new Cluster(2).begin();
    cluster.finish(0, 20);
    cluster.lose(1);
    await vi.advanceTimersByTimeAsync(0);
    expect(cluster.extras).toEqual([]);
    cluster.coverage = lacks(20, [6, 7]);
    await vi.advanceTimersByTimeAsync(200);
    expect(union(cluster.extras.map(({ microBatches }) => microBatches))).toEqual([6, 7]);
  });
});

describe('a worker that is late', () => {
  it('has its part computed by those that wait, and the log says whom the step waits for', async () => {
    using cluster = new Cluster(2).begin();
    cluster.finish(0, 20);
    cluster.coverage = lacks(20, [6, 7]);
    await vi.advanceTimersByTimeAsync(40);
    expect(cluster.extras).toEqual([]);
    await vi.advanceTimersByTimeAsync(15);
    expect(cluster.extras).toMatchObject([{ rank: 0, microBatches: [6, 7] }]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(cluster.log).toEqual([expect.stringMatching(/^step 20 waits for micro-batches 6, 7: worker 1 \(a, process 1\)/)]);
    expect(cluster.dispatcher.explanation).toContain('step 20');
    cluster.finish(20, 21);
    expect(cluster.dispatcher.explanation).toBe('');
  });
});

describe('a worker that leaves', () => {
  it('is let go when others have its part', () => {
    using cluster = new Cluster(2).begin();
    cluster.finish(0, 20);
    cluster.membership = withLeaving(cluster.membership, rankOf(1));
    cluster.dispatcher.leaving(rankOf(1));
    expect(cluster.released).toEqual([]);
    expect(cluster.partsOf(20).get(1)).toHaveLength(4);
    cluster.finish(20, 60);
    expect(cluster.released).toEqual([1]);
    expect(cluster.partsOf(60).get(1)).toEqual([]);
    expect(cluster.partsOf(60).get(0)).toEqual(all);
  });

  it('is let go at once when it is the last, or when nothing is to be done', () => {
    using alone = new Cluster(1).begin();
    alone.membership = withLeaving(alone.membership, rankOf(0));
    alone.dispatcher.leaving(rankOf(0));
    expect(alone.released).toEqual([0]);
    using idle = new Cluster(2);
    idle.dispatcher.leaving(rankOf(1));
    expect(idle.released).toEqual([1]);
  });
});

describe('a step that takes long', () => {
  it('is explained once where it lacks no micro-batch', async () => {
    using cluster = new Cluster(1).begin();
    cluster.finish(0, 20);
    cluster.coverage = lacks(20, []);
    await vi.advanceTimersByTimeAsync(5000);
    expect(cluster.log).toEqual(['step 20 has every micro-batch: shard 0 waits for its replica']);
  });

  it('is explained once where the shards do not say what it lacks', async () => {
    using cluster = new Cluster(1).begin();
    cluster.finish(0, 20);
    await vi.advanceTimersByTimeAsync(5000);
    expect(cluster.log).toEqual(['step 20 waits for the shards: the shards are being placed']);
  });
});

it('says which shards do not tell of what they have made, and sends all back where that lasts', async () => {
  using cluster = new Cluster(1).begin();
  cluster.finish(0, 20);
  cluster.coverage = { ...lacks(24, []), untold: [1] };
  await vi.advanceTimersByTimeAsync(5000);
  expect(cluster.log).toEqual(['step 20 is made, and yet to be told of by shard 1']);
  expect(cluster.stuck).toEqual([]);
  await vi.advanceTimersByTimeAsync(4000);
  expect(cluster.stuck).toEqual(['step 20 is made, and yet to be told of by shard 1']);
});

it('waits as long for the report of a step that took long to make', async () => {
  using cluster = new Cluster(1).begin();
  cluster.finish(0, 20);
  await vi.advanceTimersByTimeAsync(10_000);
  cluster.coverage = { ...lacks(21, []), untold: [0] };
  await vi.advanceTimersByTimeAsync(5000);
  expect(cluster.stuck).toEqual([]);
  await vi.advanceTimersByTimeAsync(4000);
  expect(cluster.stuck).toHaveLength(1);
});

it('sends all shards back when a step is made on some of them and nobody can make it on the others', async () => {
  using cluster = new Cluster(1).begin();
  cluster.finish(0, 20);
  cluster.coverage = lacks(20, [3], true);
  await vi.advanceTimersByTimeAsync(5000);
  expect(cluster.stuck).toEqual([]);
  await vi.advanceTimersByTimeAsync(1500);
  expect(cluster.stuck).toHaveLength(1);
});

it('sends all shards back when they are behind every worker', async () => {
  using cluster = new Cluster(1).begin();
  cluster.finish(0, 20);
  cluster.coverage = lacks(20, [0]);
  cluster.leastStep = 25;
  await vi.advanceTimersByTimeAsync(1900);
  expect(cluster.stuck).toEqual([]);
  await vi.advanceTimersByTimeAsync(300);
  expect(cluster.stuck).toEqual(['the shards are at step 20, the workers at 25: a replica that took over was behind']);
});

describe('where workers hold back parts of their gradients', () => {
  const WINDOW = 16;
  const wire = wireSchema.parse({ kind: 'topK', groups: 4, denseEvery: WINDOW });
  const begun = (workers: number): Cluster => new Cluster(workers, wire).begin();

  it('two windows are given out at a time, in whole groups, each only once', () => {
    using cluster = begun(2);
    expect(union(cluster.partsOf(2 * WINDOW - 1).values())).toEqual(all);
    expect(cluster.partsOf(2 * WINDOW).size).toBe(0);
    for (const part of cluster.partsOf(0).values()) for (const first of [0, 2]) expect((part[first + 1] ?? 0) - (part[first] ?? 0)).toBe(1);
    cluster.finish(0, WINDOW);
    expect(union(cluster.partsOf(3 * WINDOW - 1).values())).toEqual(all);
    const starts = cluster.sent.flatMap(({ rank, message: { assignment } }) => (assignment ? [`${rank} from ${assignment.fromStep} to ${assignment.untilStep}`] : []));
    expect(starts).toEqual([0, 1, 2].flatMap((window) => [0, 1].map((rank) => `${rank} from ${window * WINDOW} to ${(window + 1) * WINDOW}`)));
  });

  it('a window ends with its epoch', () => {
    using cluster = begun(1);
    cluster.finish(0, 96);
    expect(cluster.sent.map(({ message: { assignment } }) => assignment?.fromStep)).toEqual([0, 16, 32, 48, 64, 80, 96, 100]);
  });

  it('one that joins gets a part of a window that nobody was given', () => {
    using cluster = begun(1);
    cluster.finish(0, 5);
    cluster.dispatcher.joined(cluster.add(1));
    cluster.finish(5, WINDOW);
    expect(cluster.partsOf(2 * WINDOW - 1)).toEqual(new Map([[0, all]]));
    expect([...cluster.partsOf(2 * WINDOW).values()].map(({ length }) => length)).toEqual([4, 4]);
  });

  it('one that leaves goes when the windows that it was given are done', () => {
    using cluster = begun(2);
    cluster.finish(0, 5);
    cluster.membership = withLeaving(cluster.membership, rankOf(1));
    cluster.dispatcher.leaving(rankOf(1));
    cluster.finish(5, 2 * WINDOW - 1);
    expect(cluster.released).toEqual([]);
    cluster.finish(2 * WINDOW - 1, 2 * WINDOW);
    expect(cluster.released).toEqual([1]);
    expect(cluster.stuck).toEqual([]);
    expect(cluster.partsOf(2 * WINDOW)).toEqual(new Map([[0, all]]));
  });

  it('one that is lost sends all back to where nothing was held back, once', async () => {
    using cluster = begun(3);
    cluster.finish(0, 20);
    cluster.coverage = lacks(20, [4, 5, 6, 7]);
    cluster.lose(2);
    cluster.lose(1);
    await vi.advanceTimersByTimeAsync(3000);
    expect(cluster.stuck).toEqual(['worker 2 is lost, and with it what it held back of its gradients']);
    expect(cluster.extras.filter(({ rank }) => rank !== 0)).toEqual([]);
    cluster.dispatcher.begin(16);
    expect(cluster.partsOf(20).get(0)).toEqual(all);
  });

  it('the last one that leaves sends all back, for whoever comes', () => {
    using cluster = begun(1);
    cluster.finish(0, 20);
    cluster.membership = withLeaving(cluster.membership, rankOf(0));
    cluster.dispatcher.leaving(rankOf(0));
    expect([cluster.released, cluster.stuck]).toEqual([[0], ['worker 0 has left, and with it what it held back of its gradients']]);
  });

  it('nobody is reminded of a window that was not given out, though the shards are there before they have told so', async () => {
    using cluster = begun(2);
    cluster.finish(0, WINDOW - 1, (rank) => (rank === 0 ? 1 : 9));
    const before = cluster.partsOf(2 * WINDOW - 1);
    cluster.coverage = lacks(2 * WINDOW, all);
    await vi.advanceTimersByTimeAsync(10_000);
    const given = cluster.partsOf(2 * WINDOW);
    expect(given.get(0)!.length).toBeGreaterThan(before.get(0)!.length);
    expect(union(given.values())).toEqual(all);
    expect(cluster.extras.length).toBeGreaterThan(0);
    for (const { rank, step, microBatches } of cluster.extras) expect({ step, microBatches }).toEqual({ step: 2 * WINDOW, microBatches: given.get(rank) });
  });

  it('nobody computes for one that is slow, which is asked again', async () => {
    using cluster = begun(2);
    cluster.finish(0, 20);
    cluster.coverage = lacks(20, [4, 5, 6, 7]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(new Set(cluster.extras.map(({ rank }) => rank))).toEqual(new Set([1]));
    expect(cluster.stuck).toEqual([]);
  });
});
