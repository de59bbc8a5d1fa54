import { afterEach, beforeEach, expect, it } from 'vitest';
import { bytesOf, type LockstepError } from '@lockstep/core';
import { leafOf } from '@lockstep/reduction';
import { Change } from './change.ts';
import type { HeldPartial } from './held-partial.ts';
import { ShardLinks } from './shard-links.ts';
import { LocalShard, TOKEN } from './testing/local-shard.ts';
import { VersionAssembly } from './version-assembly.ts';

const LENGTH = 6;
const RANGE = { from: 2, to: 6 };
const parameters = Float32Array.from({ length: LENGTH }, (_, index) => index);
const partial = (microBatch: number): HeldPartial => ({
  header: { step: 0, node: leafOf(microBatch), tally: { numExamples: 1, numCorrect: 0, lossSum: 0, numNonFinite: 0 }, shares: [{ rank: 0, microBatches: 1, computeMs: 1 }], digests: [microBatch] },
  slot: microBatch,
  wire: 'float32',
  sum: bytesOf(Float32Array.from({ length: LENGTH }, (_, index) => index * 100 + microBatch)),
});

let cleanup: AsyncDisposableStack;
beforeEach(() => {
  cleanup = new AsyncDisposableStack();
});
afterEach(() => cleanup.disposeAsync());

const startShard = async (start: { readonly version: number; readonly parameters: Float32Array } | null = { version: 0, parameters }) =>
  cleanup.use(await LocalShard.start({ ...RANGE, microBatches: 2, start }));

function connect() {
  const change = new Change();
  const [held, errors]: [HeldPartial[], LockstepError[]] = [[], []];
  const versions = new VersionAssembly(LENGTH, 1, () => change.notify());
  const links = new ShardLinks({
    rank: 3, joined: 'unix:none', versionPort: (shard, range) => versions.port(shard, range), initial: parameters.map((value) => value + 0.5), trainableLength: parameters.length, held: () => held, announced: () => null,
    onBroken: (_, error) => {
      errors.push(error);
      change.notify();
    },
  });
  cleanup.defer(() => links.close());
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await change.next(AbortSignal.timeout(10_000));
  };
  return { links, versions, held, errors, until };
}

const placed = ({ endpoint }: LocalShard, token = TOKEN) => ({ number: 0, generation: 0, token, shards: [endpoint], relayAddresses: [] });

it('sends a shard its slice of each partial, and puts its versions in their place', async () => {
  const shard = await startShard();
  const { links, held, versions, until } = connect();
  links.place(placed(shard));
  await until(() => versions.hasNewerThan(-1));
  for (const each of [partial(0), partial(1)]) {
    held.push(each);
    links.push(each);
  }
  await until(() => versions.hasNewerThan(0));
  expect([...versions.take(1)!.parameters]).toEqual([0, 0, 403, 604, 805, 1006]);
  expect(shard.partials.map(({ digests }) => [...digests])).toEqual([[0], [1]]);
});

it('gives a shard the initial parameters of its range', async () => {
  const shard = await startShard(null);
  const { links, versions, until } = connect();
  links.place(placed(shard));
  await until(() => versions.hasNewerThan(-1));
  expect([...shard.parameters]).toEqual([2.5, 3.5, 4.5, 5.5]);
});

it('begins every stream with what is held of the step, and nothing twice', async () => {
  const shard = await startShard();
  const { links, held, errors, until } = connect();
  held.push(partial(1));
  links.push(partial(1));
  links.place(placed(shard));
  await shard.until(({ partials }) => partials.length === 1);
  await shard[Symbol.asyncDispose]();
  await until(() => errors.length > 0);
  const moved = await startShard();
  links.place(placed(moved));
  await moved.until(({ partials }) => partials.length === 1);
  links.push(partial(0));
  await moved.until(({ version }) => version === 1);
  expect(moved.partials.map(({ node }) => node.index)).toEqual([1, 0]);
});

it('connects again until the shard is there', async () => {
  const shard = await startShard();
  const { links, versions, errors, until } = connect();
  const missing = { ...shard.endpoint, unixAddress: `${shard.endpoint.unixAddress}.missing` };
  links.place({ ...placed(shard), shards: [missing] });
  await until(() => errors.length >= 3);
  links.place(placed(shard));
  await until(() => versions.hasNewerThan(-1));
});

it('leaves the stream to a shard that has not moved as it is', async () => {
  const shard = await startShard();
  const { links, versions, errors, until } = connect();
  links.place(placed(shard));
  await until(() => versions.hasNewerThan(-1));
  links.place({ ...placed(shard), number: 1 });
  links.push(partial(0));
  await shard.until(({ partials }) => partials.length === 1);
  expect([shard.numEnded, errors.length]).toEqual([0, 0]);
});

it('is let in by the run\'s token alone', async () => {
  const shard = await startShard();
  const { links, versions, errors, until } = connect();
  links.place(placed(shard, 'another run'));
  await until(() => errors.length >= 2);
  expect(versions.hasNewerThan(-1)).toBe(false);
  links.place(placed(shard));
  await until(() => versions.hasNewerThan(-1));
});
