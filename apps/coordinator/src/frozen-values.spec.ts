import { beforeEach, describe, expect, it } from 'vitest';
import { bytesOf, rankOf, sha256, type Rank } from '@lockstep/core';
import { BlockShelf } from '@lockstep/transport';
import { FrozenValues } from './frozen-values.ts';

const values = Float32Array.of(1.5, -2, 3);
const hash = sha256(bytesOf(values));
let shelf: BlockShelf;
let ranks: Rank[];
let asked: Rank[];
let frozen: FrozenValues;

beforeEach(() => {
  shelf = new BlockShelf();
  ranks = [0, 1].map(rankOf);
  asked = [];
  frozen = new FrozenValues(shelf, 'token', () => ranks, (rank, { sendFrozen }) => {
    expect(sendFrozen).toEqual({ token: 'token' });
    asked.push(rank);
  });
});

const put = (of: Float32Array) => shelf.arrive(sha256(bytesOf(of)), bytesOf(of));

describe('the values of frozen tensors', () => {
  it('come from one worker that is asked', async () => {
    const found = frozen.get(hash);
    expect(asked).toEqual([0]);
    frozen.take(rankOf(0), put(values));
    expect(await found).toEqual(values);
  });

  it('come from another where that one is lost, and from one that joins where nobody is there', async () => {
    const found = frozen.get(hash);
    ranks = [rankOf(1)];
    frozen.lost(rankOf(0));
    ranks = [];
    frozen.lost(rankOf(1));
    frozen.joined(rankOf(7));
    frozen.joined(rankOf(8));
    frozen.joined(rankOf(7));
    expect(asked).toEqual([0, 1, 7, 7]);
    frozen.take(rankOf(7), put(values));
    expect(await found).toEqual(values);
    frozen.lost(rankOf(7));
    expect(asked).toHaveLength(4);
  });

  it('are refused where they are others, and let go where nobody waits for them any more', () => {
    frozen.take(rankOf(1), put(values));
    void frozen.get(hash);
    expect(() => frozen.take(rankOf(0), put(Float32Array.of(9)))).toThrow(/worker 0 sent frozen values with SHA-256 \w+, expected/);
    expect(() => frozen.take(rankOf(0), { sha256: hash, numBytes: 12, path: '' })).toThrow('no host has put block');
  });
});
