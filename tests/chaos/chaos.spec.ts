import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Chaos } from './chaos-run.ts';

/** Shards on all kinds of hosts, on one machine and on several, with and without replicas; together nearly every kind of fault. */
const SEEDS = [2, 10, 17];
/** One that leaves hosts a shard, others are cut off, and all are killed. */
const COMPRESSED_SEEDS = [20_020];

describe.each([['', false, SEEDS], [' with compressed gradients', true, COMPRESSED_SEEDS]] as const)('runs through faults%s', (_, compressed, seeds) => {
  let chaos: Chaos;
  beforeAll(async () => { chaos = await Chaos.begin({ compressed }); });
  afterAll(() => chaos[Symbol.asyncDispose]());

  it.each([...seeds])('ends with the bytes and metrics of the quiet run: seed %i', async (seed) => {
    const { problems, story, faults } = await chaos.run(seed);
    expect(problems, story.join('\n')).toEqual([]);
    expect(faults.length).toBeGreaterThanOrEqual(8);
  }, 300_000);
});
