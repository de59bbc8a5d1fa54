import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { layOutParameters } from '@lockstep/core';
import { leafOf, nodesCovering } from '@lockstep/reduction';
import { LocalShard, TOKEN } from './testing/local-shard.ts';
import { SyntheticEngine, trainedAlone } from './testing/synthetic-engine.ts';
import { TrainingLoop } from './training-loop.ts';

const MICRO_BATCHES = 8;
const LENGTH = 5000;
const RANGES = [{ from: 0, to: 4096 }, { from: 4096, to: LENGTH }];
const layout = layOutParameters([{ name: 'w', shape: [LENGTH], kind: 'trainable' }]);
const initial = Float32Array.from({ length: LENGTH }, (_, index) => index % 11);
const after = (steps: number): Float32Array => trainedAlone(initial, MICRO_BATCHES, 0, steps);

let cleanup: AsyncDisposableStack;
beforeEach(() => {
  cleanup = new AsyncDisposableStack();
});
afterEach(() => cleanup.disposeAsync());

async function startShards(start: { readonly version: number; readonly parameters: Float32Array } | null): Promise<LocalShard[]> {
  return Promise.all(RANGES.map(async (range) => cleanup.use(await LocalShard.start({ ...range, microBatches: MICRO_BATCHES, start }))));
}

const placement = (shards: readonly LocalShard[], number = 0, generation = 0) =>
  ({ number, generation, token: TOKEN, shards: shards.map(({ endpoint }) => endpoint), relayAddresses: [] });
const all = (fromStep: number, untilStep: number) => ({ fromStep, untilStep, nodes: nodesCovering(0, MICRO_BATCHES) });
const values = (shards: readonly LocalShard[]): Float32Array => Float32Array.from(shards.flatMap(({ parameters }) => [...parameters]));

function startWorker(rank = 0) {
  const engine = new SyntheticEngine();
  const loop = new TrainingLoop({ rank, joined: 'unix:none', engine, layout, initial, config: { wire: 'float32', parameterWire: 'float32' }, onShardBroken: () => undefined });
  engine.onPartial = (partial) => loop.takePartial(partial);
  const ending = new AbortController();
  const ended = loop.run(ending.signal).catch((error: unknown) => error);
  cleanup.defer(async () => {
    ending.abort(new Error('the end'));
    loop.close();
    expect(await ended).toMatchObject({ message: 'the end' });
  });
  return { engine, loop };
}

/** Lets one micro-batch of a step wait. */
function holdAt(engine: SyntheticEngine, step: number, microBatch: number) {
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  engine.gate = async (atStep, atMicroBatch) => {
    if (atStep !== step || atMicroBatch !== microBatch) return;
    reached.resolve();
    await released.promise;
  };
  return { reached: reached.promise, release: released.resolve };
}

describe('a worker', () => {
  it('gives the shards their first parameters and trains in lockstep', async () => {
    const shards = await startShards(null);
    const { loop, engine } = startWorker();
    loop.place(placement(shards));
    loop.assignment.set(all(0, 20));
    for (const shard of shards) await shard.until(({ version }) => version === 20);
    expect(values(shards)).toEqual(after(20));
    expect(engine.computed).toHaveLength(20 * MICRO_BATCHES);
    expect(loop.step).toBeGreaterThanOrEqual(19);
  });

  it('shares a step with another, and the sum is the same', async () => {
    const shards = await startShards({ version: 0, parameters: initial });
    const workers = [startWorker(0), startWorker(1)];
    workers.forEach(({ loop }, rank) => {
      loop.place(placement(shards));
      loop.assignment.set({ fromStep: 0, untilStep: 20, nodes: nodesCovering(rank * 3, rank === 0 ? 3 : 8) });
    });
    for (const shard of shards) await shard.until(({ version }) => version === 20);
    expect(values(shards)).toEqual(after(20));
    expect(workers.map(({ engine }) => engine.computed.length)).toEqual([60, 100]);
  });

  it('computes extra nodes, and an assignment that comes late, at once and only what it has not done', async () => {
    const shards = await startShards({ version: 0, parameters: initial });
    const { loop, engine } = startWorker();
    loop.place(placement(shards));
    loop.assignment.set({ fromStep: 0, untilStep: 9, nodes: [leafOf(0), leafOf(1)] });
    await shards[0]!.until(({ partials }) => partials.length === 2);
    loop.assignment.add({ step: 0, nodes: [{ level: 2, index: 0 }, leafOf(7)] });
    await shards[0]!.until(({ partials }) => partials.length === 4);
    loop.assignment.set({ fromStep: 0, untilStep: 1, nodes: nodesCovering(0, MICRO_BATCHES) });
    for (const shard of shards) await shard.until(({ version }) => version === 1);
    expect(values(shards)).toEqual(after(1));
    expect(engine.computed.map(({ microBatch }) => microBatch)).toEqual([0, 1, 2, 3, 7, 4, 5, 6]);
  });

  it('sends what it holds of the step to a shard that has moved', async () => {
    const shards = await startShards({ version: 0, parameters: initial });
    shards[1]!.isMaking = false;
    const { loop, engine } = startWorker();
    loop.place(placement(shards));
    loop.assignment.set(all(0, 3));
    await shards[1]!.until(({ partials }) => partials.length === 1);
    await shards[1]![Symbol.asyncDispose]();
    const moved = cleanup.use(await LocalShard.start({ ...RANGES[1]!, microBatches: MICRO_BATCHES, start: { version: 0, parameters: initial } }));
    loop.place(placement([shards[0]!, moved], 1));
    for (const shard of [shards[0]!, moved]) await shard.until(({ version }) => version === 3);
    expect(values([shards[0]!, moved])).toEqual(after(3));
    expect(engine.computed).toHaveLength(3 * MICRO_BATCHES);
    expect(shards[0]!.numEnded).toBe(0);
  });

  it('gives up a step that others have finished, and goes on with the newest version', async () => {
    const shards = await startShards({ version: 0, parameters: initial });
    const { loop, engine } = startWorker();
    const held = holdAt(engine, 0, 2);
    loop.place(placement(shards));
    loop.assignment.set(all(0, 6));
    await held.reached;
    const other = startWorker(1);
    other.loop.place(placement(shards));
    other.loop.assignment.set(all(0, 4));
    for (const shard of shards) await shard.until(({ version }) => version === 4);
    held.release();
    for (const shard of shards) await shard.until(({ version }) => version === 6);
    expect(values(shards)).toEqual(after(6));
    expect(engine.computed.filter(({ step }) => step === 0).map(({ microBatch }) => microBatch)).toEqual([0, 1]);
    expect(engine.computed.filter(({ step }) => step >= 4)).toHaveLength(2 * MICRO_BATCHES);
  });

  it('begins anew where the shards have gone back, in the middle of a step', async () => {
    const shards = await startShards({ version: 0, parameters: initial });
    const { loop, engine } = startWorker();
    const held = holdAt(engine, 5, 3);
    loop.place(placement(shards));
    loop.assignment.set(all(0, 5));
    loop.assignment.set(all(5, 10));
    await held.reached;
    const again = await startShards({ version: 2, parameters: after(2) });
    loop.place(placement(again, 1, 1));
    held.release();
    for (const shard of again) await shard.until(({ version }) => version === 10);
    expect(values(again)).toEqual(after(10));
    expect(shards.map(({ version }) => version)).toEqual([5, 5]);
    expect(engine.computed.filter(({ step }) => step === 3)).toHaveLength(2 * MICRO_BATCHES);
  });

  it('ignores a placement that another has replaced', async () => {
    const [old, shards] = [await startShards({ version: 7, parameters: initial }), await startShards({ version: 0, parameters: initial })];
    const { loop } = startWorker();
    loop.place(placement(shards, 4, 1));
    loop.place(placement(old, 9, 0));
    loop.place(placement(old, 3, 1));
    loop.assignment.set(all(0, 9));
    for (const shard of shards) await shard.until(({ version }) => version === 9);
    expect(old.map(({ version }) => version)).toEqual([7, 7]);
  });
});
