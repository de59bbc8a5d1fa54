import { describe, expect, it } from 'vitest';
import { bytesOf, deriveSeed, uniformStream, type ClippingConfig, type OptimizerConfig } from '@lockstep/core';
import { clippingFactor, leafOf, nodesCovering, NORM_BLOCK, type TreeNode } from '@lockstep/reduction';
import type { ArrivedPartial, FinishedStep, PartialHeader, PartialIntake } from '@lockstep/transport';
import { partsOfState, slotNames, stateLength } from './shard-plan.ts';
import { Shard } from './shard.ts';
import { PIECE_FLOATS } from './shard-piece.ts';
import { readFrom } from './testing/read-from.ts';
import { adam, hashOf, noClipping, SyntheticRun } from './testing/synthetic-run.ts';

interface Published {
  readonly version: number;
  readonly parameters: Float32Array;
  readonly finished: FinishedStep | null;
}

/** A shard, what it published, and what it waits for. */
function startShard(run: SyntheticRun, shard = 0, shards = 1) {
  const published: Published[] = [];
  const norms: Float64Array[] = [];
  const reduced: { readonly finished: FinishedStep; readonly gradient: Float32Array | null }[] = [];
  const made: [version: number, numBytes: number][] = [];
  const plan = run.plan(shard, shards);
  const started = new Shard(plan, {
    versionReady: (version, finished) => published.push({ version, parameters: started.copyState().slice(0, started.length), finished }),
    normsReady: (_, blockSums) => norms.push(blockSums),
    wantsGradient: () => true,
    stepReduced: (finished, gradient) => reduced.push({ finished, gradient: gradient === null ? null : Float32Array.from(gradient.flatMap((piece) => [...piece])) }),
    pieceMade: (version, numBytes) => made.push([version, numBytes]),
  });
  return { shard: started, published, norms, reduced, made, range: plan.range };
}
type Started = ReturnType<typeof startShard>;

const headerOf = (step: number, node: TreeNode, tally: PartialHeader['tally'], rank = 0): ArrivedPartial => ({ step, node, tally, shares: [{ rank, microBatches: 2 ** node.level, computeMs: 1 }], digests: new Uint32Array(node.level > 16 ? 0 : 2 ** node.level), carrier: 'shared' });

function initialize(run: SyntheticRun, { shard, range }: Started): void {
  const destination = shard.reserveInitial()!;
  destination.set(bytesOf(run.initial.subarray(range.from, range.to)));
  shard.commitInitial(destination);
}

/** Delivers a partial as a stream does; false when the shard has no use for it. */
function deliver(run: SyntheticRun, { shard, range }: Started, step: number, node: TreeNode, rank = 0): boolean {
  const { slice, tally } = run.partial(step, node, range);
  const header = { ...headerOf(step, node, tally, rank), digests: Uint32Array.from(run.digests(step, node)) };
  const intake = shard.receive(rank, header);
  intake?.take(slice.length, readFrom(slice));
  return intake !== null;
}

/** A partial of ones whose first half has arrived. */
class Begun {
  readonly intake: PartialIntake;
  /** The shard's, where it is put. */
  readonly memory: Uint8Array;
  readonly #rest: number;

  private constructor(intake: PartialIntake, numBytes: number) {
    this.intake = intake;
    const half = Math.floor(numBytes / 2);
    const taken: Uint8Array[] = [];
    intake.take(half, (_, into) => {
      taken.push(into.fill(1));
      return true;
    });
    this.memory = taken[0]!;
    this.#rest = numBytes - half;
  }

  static by({ shard }: Started, rank: number, header: ArrivedPartial): Begun {
    return new Begun(shard.receive(rank, header)!, shard.partialBytes(header.step));
  }

  finish(): void {
    this.intake.take(this.#rest, (_, into) => into.fill(1).length >= 0);
  }
}

function shuffled<T>(items: readonly T[], draw: () => number): T[] {
  return items.map((item) => ({ item, key: draw() })).sort((a, b) => a.key - b.key).map(({ item }) => item);
}

const MICRO_BATCHES = 8;
const STEPS = 3;
const run = new SyntheticRun({ trainableLength: 100, totalLength: 130, microBatches: MICRO_BATCHES, totalSteps: STEPS });
const leaves = Array.from({ length: MICRO_BATCHES }, (_, index) => leafOf(index));

/** The hashes of all versions when each step's partials arrive as `arrivals` says. */
function versionsOf(source: SyntheticRun, arrivals: (step: number) => readonly TreeNode[]): string[] {
  const started = startShard(source);
  initialize(source, started);
  for (let step = 0; step < source.options.totalSteps; step += 1) {
    for (const node of arrivals(step)) deliver(source, started, step, node);
  }
  return started.published.map(({ parameters }) => hashOf(parameters));
}

describe('the parameters that a shard makes', () => {
  const expected = versionsOf(run, () => leaves);

  it('change in every step', () => {
    expect(new Set(expected).size).toBe(STEPS + 1);
  });

  it('are the same bytes in any order of arrival', () => {
    for (let shuffle = 0; shuffle < 20; shuffle += 1) {
      const draw = uniformStream(deriveSeed(shuffle, 'order'));
      expect(versionsOf(run, () => shuffled(leaves, draw))).toEqual(expected);
    }
  });

  it.each([1, 2, 3, 5, 8])('are the same bytes for the subtrees of %i workers', (workers) => {
    const draw = uniformStream(workers);
    const nodes = Array.from({ length: workers }, (_, rank) => nodesCovering(Math.floor((rank * MICRO_BATCHES) / workers), Math.floor(((rank + 1) * MICRO_BATCHES) / workers))).flat();
    expect(versionsOf(run, () => shuffled(nodes, draw))).toEqual(expected);
  });

  it('are the same bytes when work is done twice, in other groups, in any order', () => {
    for (let shuffle = 0; shuffle < 20; shuffle += 1) {
      const draw = uniformStream(deriveSeed(shuffle, 'order'));
      const everything = [0, 1, 2].flatMap((level) => Array.from({ length: MICRO_BATCHES / 2 ** level }, (_, index) => ({ level, index })));
      expect(versionsOf(run, () => shuffled([...everything, ...everything], draw))).toEqual(expected);
    }
  });

  it('do not depend on work that comes too late', () => {
    const started = startShard(run);
    initialize(run, started);
    for (let step = 0; step < STEPS; step += 1) {
      for (const node of leaves) deliver(run, started, step, node);
      expect(deliver(run, started, step, leafOf(0))).toBe(false);
    }
    expect(started.published.map(({ parameters }) => hashOf(parameters))).toEqual(expected);
  });
});

it('shows workers parameters that are rounded, where it is to, and goes on from its own', () => {
  const rounding = startShard(new SyntheticRun({ ...run.options, parameterWire: 'bf16' }));
  const exact = startShard(run);
  for (const started of [rounding, exact]) {
    initialize(run, started);
    for (let step = 0; step < STEPS; step += 1) for (const node of leaves) deliver(run, started, step, node);
  }
  expect(rounding.shard.copyState()).toEqual(exact.shard.copyState());
  const { trainableLength, totalLength } = run.options;
  const shown = rounding.shard.shown.bytes;
  expect(shown).toHaveLength(2 * trainableLength + 4 * (totalLength - trainableLength));
  const parameters = exact.published.at(-1)!.parameters;
  expect(shown.slice(2 * trainableLength)).toEqual(bytesOf(parameters.slice(trainableLength)));
  const halves = new Uint16Array(shown.slice(0, 2 * trainableLength).buffer);
  expect(Array.from(halves)).toEqual(Array.from(parameters.subarray(0, trainableLength), nearestBf16));
  expect(exact.shard.shown.bytes).toEqual(bytesOf(parameters));
});

/** Of a finite number, by the formula of rounding to nearest, ties to even. */
function nearestBf16(value: number): number {
  const [bits = 0] = new Uint32Array(Float32Array.of(value).buffer);
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

describe.each([
  { kind: 'topK', ratio: 0.02, groups: null, denseEvery: 2 }, { kind: 'powerSgd', rank: 1, groups: null, denseEvery: 2 },
] as const)('partials that travel compressed by $kind', (wire) => {
  const compressed = new SyntheticRun({ trainableLength: 3 * NORM_BLOCK + 101, totalLength: 3 * NORM_BLOCK + 140, microBatches: MICRO_BATCHES, totalSteps: STEPS, wire });
  const whole = versionsOf(compressed, () => leaves);

  it('make the same versions in any order and over several shards, others than whole ones', () => {
    const draw = uniformStream(deriveSeed(8, 'order', 0));
    for (let trial = 0; trial < 5; trial += 1) expect(versionsOf(compressed, () => shuffled(leaves, draw))).toEqual(whole);
    const shards = Array.from({ length: 3 }, (_, shard) => startShard(compressed, shard, 3));
    shards.forEach((each) => initialize(compressed, each));
    for (let step = 0; step < STEPS; step += 1) for (const node of leaves) shards.forEach((each) => deliver(compressed, each, step, node));
    expect(hashOf(Float32Array.from(shards.flatMap(({ published }) => [...published.at(-1)!.parameters])))).toBe(whole.at(-1));
    expect(whole).not.toEqual(versionsOf(new SyntheticRun({ ...compressed.options, wire: 'float32' }), () => leaves));
  });

  it('are few bytes but in the last step of a window, in which they travel whole', () => {
    const { shard } = startShard(compressed);
    expect(shard.partialBytes(0)).toBeLessThan(shard.length * 4 * 0.1);
    expect(shard.partialBytes(1)).toBe(shard.length * 4);
    expect(shard.partialBytes(STEPS - 1)).toBe(shard.length * 4);
  });
});

describe.each(['bf16', 'int8'] as const)('partials that travel as %s', (wire) => {
  const compressed = new SyntheticRun({ trainableLength: 3 * NORM_BLOCK + 101, totalLength: 3 * NORM_BLOCK + 140, microBatches: MICRO_BATCHES, totalSteps: STEPS, wire });
  const whole = versionsOf(compressed, () => leaves);

  it('make the same versions in any order, summed by one worker or by many', () => {
    const draw = uniformStream(deriveSeed(8, 'order', 0));
    for (let trial = 0; trial < 10; trial += 1) expect(versionsOf(compressed, () => shuffled(leaves, draw))).toEqual(whole);
    for (const nodes of [[{ level: 3, index: 0 }], [{ level: 2, index: 1 }, { level: 2, index: 0 }], [leafOf(1), { level: 1, index: 3 }, leafOf(0), { level: 1, index: 1 }, { level: 1, index: 2 }]]) {
      expect(versionsOf(compressed, () => nodes)).toEqual(whole);
    }
  });

  it('make the same versions over several shards', () => {
    const shards = Array.from({ length: 3 }, (_, shard) => startShard(compressed, shard, 3));
    shards.forEach((each) => initialize(compressed, each));
    for (let step = 0; step < STEPS; step += 1) for (const node of leaves) shards.forEach((each) => deliver(compressed, each, step, node));
    const joined = Float32Array.from(shards.flatMap(({ published }) => [...published.at(-1)!.parameters]));
    expect(hashOf(joined)).toBe(whole.at(-1));
  });

  it('are fewer bytes than float32, and other results', () => {
    const { shard } = startShard(compressed);
    expect(shard.partialBytes(0)).toBeLessThan(shard.length * 4 * (wire === 'bf16' ? 0.51 : 0.27));
    expect(whole).not.toEqual(versionsOf(new SyntheticRun({ ...compressed.options, wire: 'float32' }), () => leaves));
  });

  it('give their memory back, whole, late or broken off', () => {
    const started = startShard(compressed);
    initialize(compressed, started);
    const header = headerOf(0, leafOf(0), compressed.partial(0, leafOf(0)).tally);
    const [late, broken] = [Begun.by(started, 1, header), Begun.by(started, 2, header)];
    for (const node of leaves) deliver(compressed, started, 0, node);
    late.finish();
    broken.intake.abandon();
    const again = [Begun.by(started, 1, headerOf(1, leafOf(0), header.tally)), Begun.by(started, 2, headerOf(1, leafOf(0), header.tally))];
    expect(again.map(({ memory }) => memory.byteOffset).toSorted()).toEqual([late, broken].map(({ memory }) => memory.byteOffset).toSorted());
    expect(started.published.map(({ parameters }) => hashOf(parameters))).toEqual(whole.slice(0, 2));
  });
});

describe('several shards', () => {
  const large = new SyntheticRun({ trainableLength: 5 * NORM_BLOCK + 100, totalLength: 6 * NORM_BLOCK + 7, microBatches: 2, totalSteps: 3 });

  /** Runs all steps over a cut, clipping as the host of the shards does, and gives the whole vector. */
  function train(source: SyntheticRun, shards: number): Float32Array {
    const { totalLength, totalSteps, microBatches, clipping = noClipping } = source.options;
    const started = Array.from({ length: shards }, (_, shard) => startShard(source, shard, shards));
    started.forEach((each) => initialize(source, each));
    for (let step = 0; step < totalSteps; step += 1) {
      for (let index = 0; index < microBatches; index += 1) started.forEach((each) => deliver(source, each, step, leafOf(index)));
      if (clipping.globalNorm === null) continue;
      const factor = clippingFactor(Float64Array.from(started.flatMap(({ norms }) => [...norms[step]!])), clipping.globalNorm);
      started.forEach(({ shard }) => shard.clip(factor));
    }
    const whole = new Float32Array(totalLength);
    started.forEach(({ published, range }) => whole.set(published.at(-1)!.parameters, range.from));
    return whole;
  }

  it.each<[string, ClippingConfig]>([
    ['no clipping', noClipping],
    ['clipping by value', { value: 0.05, globalNorm: null }],
    ['clipping by global norm', { value: null, globalNorm: 0.5 }],
    ['clipping by both', { value: 0.05, globalNorm: 0.5 }],
  ])('hold the same bytes as one, buffers included, with %s', (_, clipping) => {
    const source = new SyntheticRun({ ...large.options, clipping });
    const hashes = [1, 2, 3, 7, 12].map((shards) => hashOf(train(source, shards)));
    expect(new Set(hashes).size).toBe(1);
  });

  it('clip in truth: the bytes differ from those without', () => {
    const sgd = { kind: 'sgd', learningRate: adam.learningRate, momentum: 0, nesterov: false, l2: 0 } as const;
    const ends = [noClipping, { value: null, globalNorm: 0.5 }, { value: 0.05, globalNorm: null }]
      .map((clipping) => hashOf(train(new SyntheticRun({ ...large.options, optimizer: sgd, clipping }), 1)));
    expect(new Set(ends).size).toBe(3);
  });
});

describe('the update', () => {
  it('subtracts the mean gradient times the rate from what is trained and adds the mean delta to buffers', () => {
    const optimizer = { kind: 'sgd', learningRate: { base: { kind: 'constant', rate: 0.5 }, warmupSteps: 0 }, momentum: 0, nesterov: false, l2: 0 } as const;
    const source = new SyntheticRun({ trainableLength: 4, totalLength: 6, microBatches: 2, totalSteps: 1, optimizer });
    const started = startShard(source);
    initialize(source, started);
    const partials = [0, 1].map((index) => source.partial(0, leafOf(index))).map(({ slice, tally }) => ({ tally, sum: new Float32Array(slice.buffer) }));
    const numExamples = partials.reduce((sum, { tally }) => sum + tally.numExamples, 0);
    for (const index of [0, 1]) deliver(source, started, 0, leafOf(index));
    const mean = Array.from({ length: 6 }, (_, index) => partials.reduce((sum, part) => sum + part.sum[index]!, 0) / numExamples);
    started.published[1]!.parameters.forEach((value, index) => {
      const expected = source.initial[index]! + (index < 4 ? -0.5 * mean[index]! : mean[index]!);
      expect(value).toBeCloseTo(expected, 5);
    });
  });

  it('tells the exact tally, the rate, the digests and who did what', () => {
    const started = startShard(run);
    initialize(run, started);
    deliver(run, started, 0, { level: 2, index: 1 }, 1);
    for (const index of [0, 1]) deliver(run, started, 0, { level: 1, index }, 0);
    const root = { level: 3, index: 0 };
    expect(started.published.map(({ version, finished }) => [version, finished])).toEqual([
      [0, null],
      [1, {
        step: 0, learningRate: 0.01, ...run.partial(0, root).tally, digests: run.digests(0, root), atMs: expect.any(Number) as number,
        workers: [{ rank: 1, microBatches: 4, computeMs: 1 }, { rank: 0, microBatches: 4, computeMs: 2 }],
      }],
    ]);
    expect(Math.abs(started.published[1]!.finished!.atMs - Date.now())).toBeLessThan(10_000);
  });
});

describe('what a shard does with partials that do not fit', () => {
  const { tally } = run.partial(0, leafOf(0));

  it('says which micro-batches are missing', () => {
    const started = startShard(run);
    expect(started.shard.coverage()).toEqual({ version: -1, missing: [] });
    initialize(run, started);
    expect(started.shard.coverage()).toEqual({ version: 0, missing: [0, 1, 2, 3, 4, 5, 6, 7] });
    deliver(run, started, 0, { level: 1, index: 1 });
    deliver(run, started, 0, leafOf(7));
    expect(started.shard.coverage().missing).toEqual([0, 1, 4, 5, 6]);
  });

  it('has no use for what is covered', () => {
    const started = startShard(run);
    initialize(run, started);
    expect(deliver(run, started, 0, { level: 1, index: 1 })).toBe(true);
    for (const node of [{ level: 1, index: 1 }, leafOf(2), leafOf(3)]) expect(deliver(run, started, 0, node)).toBe(false);
    expect(deliver(run, started, 0, { level: 2, index: 0 })).toBe(true);
    expect(started.shard.coverage().missing).toEqual([4, 5, 6, 7]);
  });

  it('refuses steps that it has not come to', () => {
    const started = startShard(run);
    expect(() => started.shard.receive(2, headerOf(0, leafOf(0), tally))).toThrow(expect.objectContaining({ code: 'protocol', message: 'worker 2 sent step 0, the parameters have version -1' }));
    initialize(run, started);
    expect(() => started.shard.receive(2, headerOf(1, leafOf(0), tally))).toThrow('worker 2 sent step 1, the parameters have version 0');
  });

  it.each([{ level: 0, index: 8 }, { level: 3, index: 1 }, { level: 4, index: 0 }, { level: 0xffff_ffff, index: 0 }, { level: 0, index: 0xffff_ffff }])('refuses node $level, $index, which is not in its tree', (node) => {
    const started = startShard(run);
    initialize(run, started);
    expect(() => started.shard.receive(2, headerOf(0, node, tally))).toThrow(`worker 2 sent node (${node.level}, ${node.index}) of a tree over 8 micro-batches`);
  });

  it('drops what became useless while it arrived, and what does not arrive whole', () => {
    const started = startShard(run);
    initialize(run, started);
    const header = headerOf(0, leafOf(0), tally);
    const [slow, broken] = [Begun.by(started, 1, header), Begun.by(started, 2, header)];
    for (const node of leaves) deliver(run, started, 0, node);
    slow.finish();
    broken.intake.abandon();
    expect(started.published.map(({ parameters }) => hashOf(parameters))).toEqual(versionsOf(run, () => leaves).slice(0, 2));
  });
});

describe('what is no number', () => {
  const bad = new SyntheticRun({ ...run.options, onNonFinite: 'skip', nonFinite: [[1, 5]] });

  it('makes its step change nothing where the run skips such steps, and the next goes on', () => {
    const started = startShard(bad);
    initialize(bad, started);
    for (let step = 0; step < STEPS; step += 1) for (const node of leaves) deliver(bad, started, step, node);
    const hashes = started.published.map(({ parameters }) => hashOf(parameters));
    expect(hashes[2]).toBe(hashes[1]);
    expect(new Set(hashes).size).toBe(STEPS);
    expect(started.published.map(({ finished }) => finished?.numNonFinite)).toEqual([undefined, 0, 1, 0]);
    expect(started.reduced.map(({ gradient }) => gradient === null)).toEqual([false, true, false]);
  });

  it('needs no norm where its step changes nothing', () => {
    const clipped = new SyntheticRun({ ...bad.options, clipping: { value: null, globalNorm: 1 }, nonFinite: [[0, 5]] });
    const started = startShard(clipped);
    initialize(clipped, started);
    for (const node of leaves) deliver(clipped, started, 0, node);
    expect(started.norms).toEqual([]);
    expect(started.published.map(({ version }) => version)).toEqual([0, 1]);
  });

  it('is refused where the run stops at it', () => {
    const started = startShard(new SyntheticRun({ ...bad.options, onNonFinite: 'stop', nonFinite: [[0, 5]] }));
    initialize(run, started);
    expect(() => started.shard.receive(2, headerOf(0, leafOf(5), { numExamples: 3, numCorrect: 0, lossSum: 0, numNonFinite: 1 }))).toThrow('worker 2 sent 1 micro-batches that are no number, at which this run stops');
  });

  it('is refused in bytes that came over the wire, and its memory is given back', () => {
    const started = startShard(run);
    initialize(run, started);
    const header = { ...headerOf(0, leafOf(3), run.partial(0, leafOf(3)).tally), carrier: 'inline' as const };
    const bytes = bytesOf(Float32Array.from({ length: 130 }, (_, index) => (index === 70 ? Number.POSITIVE_INFINITY : 1)));
    const used: number[] = [];
    expect(() => started.shard.receive(2, header)!.take(bytes.length, (offset, into) => {
      used.push(into.byteOffset);
      return readFrom(bytes)(offset, into);
    })).toThrow(expect.objectContaining({ code: 'protocol', message: 'worker 2 sent what is no number at element 70 of step 0, node (0, 3)' }));
    expect(started.shard.coverage().missing).toContain(3);
    expect(Begun.by(started, 3, header).memory.byteOffset).toBe(used[0]);
  });
});

describe('a state', () => {
  const optimizers: readonly OptimizerConfig[] = [
    adam,
    { kind: 'sgd', learningRate: adam.learningRate, momentum: 0, nesterov: false, l2: 0 },
    { kind: 'sgd', learningRate: adam.learningRate, momentum: 0.9, nesterov: true, l2: 0.1 },
    { kind: 'rmsprop', learningRate: adam.learningRate, alpha: 0.99, epsilon: 1e-8, momentum: 0.9, l2: 0 },
  ];

  it.each(optimizers)('goes on to the same bytes as the shard that it was copied from ($kind, momentum $momentum)', (optimizer) => {
    const source = new SyntheticRun({ ...run.options, totalSteps: 6, optimizer });
    const whole = startShard(source);
    initialize(source, whole);
    for (let step = 0; step < 3; step += 1) for (const node of leaves) deliver(source, whole, step, node);
    const state = whole.shard.copyState();
    const resumed = startShard(source);
    resumed.shard.restore(3, state);
    for (const started of [whole, resumed]) {
      for (let step = 3; step < 6; step += 1) for (const node of leaves) deliver(source, started, step, node);
    }
    expect(resumed.published.map(({ version }) => version)).toEqual([3, 4, 5, 6]);
    expect(resumed.published.map(({ parameters }) => hashOf(parameters))).toEqual(whole.published.slice(3).map(({ parameters }) => hashOf(parameters)));
    expect(hashOf(resumed.shard.copyState())).toBe(hashOf(whole.shard.copyState()));
  });

  it('says what its parts are', () => {
    const plan = run.plan();
    expect(stateLength(plan)).toBe(130 + 2 * 100);
    expect(slotNames(adam)).toEqual(['exp_avg', 'exp_avg_sq']);
    const started = startShard(run);
    initialize(run, started);
    for (const node of leaves) deliver(run, started, 0, node);
    const { parameters, slots } = partsOfState(plan, started.shard.copyState());
    expect(hashOf(parameters)).toBe(hashOf(started.published[1]!.parameters));
    expect(slots.map(({ name, data }) => [name, data.length, data.some((value) => value !== 0)])).toEqual([['exp_avg', 100, true], ['exp_avg_sq', 100, true]]);
  });

  it('is that of a replica which is given each gradient', () => {
    const [primary, replica] = [startShard(run), startShard(run)];
    initialize(run, primary);
    replica.shard.restore(0, primary.shard.copyState());
    for (let step = 0; step < STEPS; step += 1) {
      for (const node of leaves) deliver(run, primary, step, node);
      const { finished, gradient } = primary.reduced[step]!;
      const destination = replica.shard.reserveGradient();
      destination.set(bytesOf(gradient!));
      replica.shard.applyGradient(finished, destination);
      expect(hashOf(replica.shard.copyState())).toBe(hashOf(primary.shard.copyState()));
    }
    expect(replica.published).toEqual(primary.published);
  });
});

describe('initial parameters', () => {
  it('count once: the first that are whole', () => {
    const started = startShard(run);
    const [first, second, third] = [started.shard.reserveInitial()!, started.shard.reserveInitial()!, started.shard.reserveInitial()!];
    third.fill(3);
    started.shard.abandonInitial(third);
    second.set(bytesOf(run.initial));
    started.shard.commitInitial(second);
    for (const node of leaves) deliver(run, started, 0, node);
    first.fill(9);
    started.shard.commitInitial(first);
    expect(started.shard.reserveInitial()).toBeNull();
    for (const node of leaves) deliver(run, started, 1, node);
    expect(started.published.map(({ version, parameters }) => [version, hashOf(parameters)])).toEqual(versionsOf(run, () => leaves).slice(0, 3).map((hash, version) => [version, hash]));
  });
});

it('takes no more memory after the first steps than in a thousand, whatever arrives late, twice or not whole', () => {
  const small = new SyntheticRun({ trainableLength: 20_000, totalLength: 20_000, microBatches: 4, totalSteps: 1000 });
  const started = startShard(small);
  initialize(small, started);
  const tally = { numExamples: 4, numCorrect: 1, lossSum: 1, numNonFinite: 0 };
  const sizes: number[] = [];
  for (let step = 0; step < 1000; step += 1) {
    const late = Begun.by(started, 1, headerOf(step, leafOf(0), tally));
    const broken = Begun.by(started, 2, headerOf(step, leafOf(3), tally));
    for (const index of [2, 3, 1, 0]) Begun.by(started, 0, headerOf(step, leafOf(index), tally)).finish();
    late.finish();
    broken.intake.abandon();
    sizes.push(late.memory.buffer.byteLength);
  }
  expect(sizes[999]).toBe(sizes[5]);
});

describe('a range of several pieces', () => {
  const large = new SyntheticRun({ trainableLength: 2 * PIECE_FLOATS + 1000, totalLength: 2 * PIECE_FLOATS + 1200, microBatches: 4, totalSteps: 2 });
  const nodes = Array.from({ length: 4 }, (_, index) => leafOf(index));
  const expected = versionsOf(large, () => nodes);

  /** Gives the bytes of a partial one after another: `pieces` says how many at a time. */
  function* arrival(started: Started, step: number, node: TreeNode, rank: number, counts: () => number): Generator<PartialIntake> {
    const { slice, tally } = large.partial(step, node, started.range);
    const intake = started.shard.receive(rank, { ...headerOf(step, node, tally, rank), digests: Uint32Array.from(large.digests(step, node)) });
    for (let offset = 0; intake !== null && offset < slice.length;) {
      const count = Math.min(counts(), slice.length - offset);
      expect(intake.take(count, readFrom(slice))).toBe(true);
      offset += count;
      yield intake;
    }
  }

  it('becomes the same bytes however the bytes of its partials meet', () => {
    for (let trial = 0; trial < 5; trial += 1) {
      const draw = uniformStream(deriveSeed(trial, 'order'));
      const started = startShard(large);
      initialize(large, started);
      for (let step = 0; step < 2; step += 1) {
        let arriving = [...nodes, nodes[trial % 4]!].map((node, rank) => arrival(started, step, node, rank, () => Math.floor(draw() * 300_000)));
        while (arriving.length > 0) {
          const next = arriving[Math.floor(draw() * arriving.length)]!;
          if (next.next().done === true) arriving = arriving.filter((other) => other !== next);
        }
      }
      expect(started.published.map(({ parameters }) => hashOf(parameters))).toEqual(expected);
    }
  });

  it('shows a piece of the next version as soon as the last partial has come as far, and the rest later', () => {
    const started = startShard(large);
    initialize(large, started);
    for (const node of nodes.slice(1)) deliver(large, started, 0, node);
    const last = arrival(started, 0, nodes[0]!, 0, () => PIECE_FLOATS * 4);
    last.next();
    expect(started.made).toEqual([[1, PIECE_FLOATS * 4]]);
    expect(started.shard.isWhole).toBe(false);
    expect(started.shard.version).toBe(0);
    const shown = started.shard.copyState();
    expect(hashOf(shown.subarray(0, PIECE_FLOATS))).not.toBe(hashOf(large.initial.subarray(0, PIECE_FLOATS)));
    expect(hashOf(shown.subarray(PIECE_FLOATS, started.shard.length))).toBe(hashOf(large.initial.subarray(PIECE_FLOATS)));
    for (const _ of last) continue;
    expect(started.made).toEqual([[1, PIECE_FLOATS * 4], [1, 2 * PIECE_FLOATS * 4], [1, started.shard.length * 4]]);
    expect(started.shard.isWhole).toBe(true);
    expect(started.published.map(({ parameters }) => hashOf(parameters))).toEqual(expected.slice(0, 2));
  });

  it('lacks what a worker broke off, and takes the rest from another, in other nodes, without counting its work twice', () => {
    const started = startShard(large);
    initialize(large, started);
    for (const node of nodes.slice(2)) deliver(large, started, 0, node, 1);
    const broken = arrival(started, 0, { level: 1, index: 0 }, 7, () => PIECE_FLOATS * 4);
    broken.next().value?.abandon();
    expect(started.made).toHaveLength(1);
    expect(started.shard.coverage()).toEqual({ version: 0, missing: [0, 1] });
    deliver(large, started, 0, nodes[1]!, 2);
    expect(started.shard.coverage().missing).toEqual([0]);
    deliver(large, started, 0, nodes[0]!, 3);
    expect(started.published.map(({ parameters }) => hashOf(parameters))).toEqual(expected.slice(0, 2));
    const finished = started.published[1]!.finished!;
    expect(finished.workers.map(({ rank, microBatches }) => [rank, microBatches])).toEqual([[1, 2], [7, 2]]);
    expect(finished.digests).toEqual(nodes.flatMap((node) => large.digests(0, node)));
  });

  it('goes on where bytes of a partial were overwritten before they were read, with those of another', () => {
    const started = startShard(large);
    initialize(large, started);
    for (const node of nodes.slice(1)) deliver(large, started, 0, node);
    const { slice, tally } = large.partial(0, nodes[0]!, started.range);
    const intake = started.shard.receive(5, { ...headerOf(0, nodes[0]!, tally), digests: Uint32Array.from(large.digests(0, nodes[0]!)) })!;
    const isThere = intake.take(slice.length, (offset, into) => {
      readFrom(offset === 0 ? slice : slice.slice().fill(0xff))(offset, into);
      return offset === 0;
    });
    expect(isThere).toBe(false);
    intake.abandon();
    expect(started.shard.coverage().missing).toEqual([0]);
    deliver(large, started, 0, nodes[0]!);
    expect(started.published.map(({ parameters }) => hashOf(parameters))).toEqual(expected.slice(0, 2));
  });

  it('keeps its gradient where somebody wants it, whole at the end of the step', () => {
    const started = startShard(large);
    initialize(large, started);
    for (const node of nodes) deliver(large, started, 0, node);
    expect(started.reduced[0]!.gradient).toHaveLength(started.shard.length);
  });
});
