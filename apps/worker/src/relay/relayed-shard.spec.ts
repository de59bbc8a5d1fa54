import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bytesOf } from '@lockstep/core';
import { createKernels, leafOf, type TreeNode } from '@lockstep/reduction';
import { Change } from '../change.ts';
import type { AnnouncedNodes, HeldPartial } from '../held-partial.ts';
import { ShardLinks } from '../shard-links.ts';
import { LocalShard, TOKEN } from '../testing/local-shard.ts';
import { VersionAssembly } from '../version-assembly.ts';
import { RelayedShard } from './relayed-shard.ts';

const LENGTH = 300_000;
const RANGE = { from: 0, to: LENGTH };
const MICRO_BATCHES = 4;
const parameters = Float32Array.from({ length: LENGTH }, (_, index) => index % 7);
const LONG_MS = 60_000;

const partial = (rank: number, node: TreeNode, value: number, computeMs = LONG_MS): HeldPartial => ({
  header: {
    step: 0, node, tally: { numExamples: 1, numCorrect: 0, lossSum: 0.5, numNonFinite: 0 },
    shares: [{ rank, microBatches: 2 ** node.level, computeMs }], digests: Array.from({ length: 2 ** node.level }, (_, index) => node.index * 2 ** node.level + index),
  },
  slot: node.index,
  wire: 'float32',
  sum: bytesOf(new Float32Array(LENGTH).fill(value)),
});

let cleanup: AsyncDisposableStack;
let directory: string;
beforeEach(() => {
  cleanup = new AsyncDisposableStack();
  directory = mkdtempSync(join(tmpdir(), 'relay-spec-'));
  cleanup.defer(() => rmSync(directory, { recursive: true }));
});
afterEach(() => cleanup.disposeAsync());

const startShard = async (): Promise<LocalShard> => cleanup.use(await LocalShard.start({ ...RANGE, microBatches: MICRO_BATCHES, start: { version: 0, parameters } }));

async function startRelay(shard: LocalShard): Promise<{ readonly relay: RelayedShard; readonly address: string; readonly notes: string[] }> {
  const notes: string[] = [];
  const relay = new RelayedShard(shard.endpoint, {
    shard: 0, rank: 0, joined: 'unix:none', token: TOKEN, microBatches: MICRO_BATCHES, trainableLength: LENGTH, wire: 'float32', parameterWire: 'float32',
    failureDetectionMs: 10_000, sharedMemory: true, kernels: createKernels(), onNote: (message) => notes.push(message),
  });
  const address = `unix:${join(directory, 'relay.sock')}`;
  await relay.listen(address);
  cleanup.defer(() => relay.close());
  return { relay, address, notes };
}

/** A worker that has the first version from the relay. */
async function joinRelay(rank: number, shard: LocalShard, address: string) {
  const change = new Change();
  const held: HeldPartial[] = [];
  let announced: AnnouncedNodes | null = null;
  const versions = new VersionAssembly(LENGTH, 1, () => change.notify());
  const links = new ShardLinks({
    rank, joined: 'unix:none', versionPort: (index, range) => versions.port(index, range), initial: parameters, trainableLength: LENGTH,
    held: () => held, announced: () => announced, onBroken: () => undefined,
  });
  cleanup.defer(() => links.close());
  links.place({ number: 0, generation: 0, token: TOKEN, shards: [shard.endpoint], relayAddresses: [address] });
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await change.next(AbortSignal.timeout(10_000));
  };
  await until(() => versions.hasNewerThan(-1));
  return {
    links, versions, until,
    announce(...nodes: readonly TreeNode[]): void {
      announced = { step: 0, nodes };
      links.announce(announced);
    },
    push(each: HeldPartial): void {
      held.push(each);
      links.push(each);
    },
  };
}

describe('a relay between the workers of a machine and a shard', () => {
  it('sends one sum for all, saying who did what, and shows them the versions', async () => {
    const shard = await startShard();
    const { relay, address } = await startRelay(shard);
    const workers = await Promise.all([3, 5].map((rank) => joinRelay(rank, shard, address)));
    const nodes = [{ level: 1, index: 0 }, { level: 1, index: 1 }];
    const announced = vi.spyOn(relay, 'announced');
    workers.forEach((worker, index) => worker.announce(nodes[index]!));
    while (announced.mock.calls.length < 2) await nextTurn();
    workers[1]!.push(partial(5, nodes[1]!, 0.25));
    workers[0]!.push(partial(3, nodes[0]!, 1));
    await shard.until(({ version }) => version === 1);
    expect(shard.partials).toMatchObject([{
      node: { level: 2, index: 0 }, tally: { numExamples: 2, lossSum: 1 }, digests: Uint32Array.of(0, 1, 2, 3),
      shares: [{ rank: 3, microBatches: 2 }, { rank: 5, microBatches: 2 }],
    }]);
    for (const { versions, until } of workers) {
      await until(() => versions.hasNewerThan(0));
      expect(Buffer.compare(bytesOf(versions.take(1)!.parameters), bytesOf(parameters.map((value) => value + 1.25)))).toBe(0);
    }
  });

  it('passes on what it has when the worker is gone whose part it waits for', async () => {
    const shard = await startShard();
    const { relay, address } = await startRelay(shard);
    const [one, other] = [await joinRelay(0, shard, address), await joinRelay(1, shard, address)];
    const announced = vi.spyOn(relay, 'announced');
    other.announce(leafOf(1));
    while (announced.mock.calls.length < 1) await nextTurn();
    one.announce(leafOf(0));
    one.push(partial(0, leafOf(0), 1));
    other.links.close();
    await shard.until(({ partials }) => partials.length === 1);
    expect(shard.partials).toMatchObject([{ node: leafOf(0), shares: [{ rank: 0 }] }]);
  });

  it('waits for a part only as long as those that are there took', async () => {
    const shard = await startShard();
    const { relay, address } = await startRelay(shard);
    const [one, other] = [await joinRelay(0, shard, address), await joinRelay(1, shard, address)];
    const announced = vi.spyOn(relay, 'announced');
    other.announce(leafOf(1));
    while (announced.mock.calls.length < 1) await nextTurn();
    one.announce(leafOf(0));
    one.push(partial(0, leafOf(0), 1, 1));
    await shard.until(({ partials }) => partials.length === 1);
    other.push(partial(1, leafOf(1), 1, 1));
    await shard.until(({ partials }) => partials.length === 2);
    expect(shard.partials.map(({ node }) => node)).toEqual([leafOf(0), leafOf(1)]);
  });

  it('sends a shard that has moved all that it has passed on in the step, so that nothing is computed again', async () => {
    const [former, shard] = [await startShard(), await startShard()];
    const { relay, address } = await startRelay(former);
    const worker = await joinRelay(0, former, address);
    worker.announce(leafOf(0), leafOf(2));
    worker.push(partial(0, leafOf(0), 1));
    worker.push(partial(0, leafOf(2), 2));
    await former.until(({ partials }) => partials.length === 2);
    relay.place(shard.endpoint);
    await shard.until(({ partials }) => partials.length === 2);
    for (const index of [1, 3]) worker.push(partial(0, leafOf(index), 4));
    await worker.until(() => worker.versions.hasNewerThan(0));
    expect([...worker.versions.take(1)!.parameters.subarray(0, 3)]).toEqual([11, 12, 13]);
  });

  it('ends the stream of a worker that is ahead of it or names a node that there is not, and tells of it', async () => {
    const shard = await startShard();
    const { address, notes } = await startRelay(shard);
    const worker = await joinRelay(4, shard, address);
    worker.links.push({ ...partial(4, leafOf(0), 1), header: { ...partial(4, leafOf(0), 1).header, step: 7 } });
    worker.links.push(partial(4, leafOf(9), 1));
    while (notes.length === 0) await nextTurn();
    expect(notes[0]).toBe('the relay to shard 0 ended the stream of worker 4: worker 4 sent step 7, the relay has version 0');
  });
});
