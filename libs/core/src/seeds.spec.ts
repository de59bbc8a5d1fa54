import { describe, expect, it } from 'vitest';
import { deriveSeed, uniformStream, type SeedPurpose } from './seeds.ts';

const PURPOSES: readonly SeedPurpose[] = ['order', 'split', 'augmentation', 'dropout', 'initialization', 'inspection', 'simulation'];

describe('a derived seed', () => {
  it('never changes: trained weights depend on it', () => {
    expect([deriveSeed(42, 'order', 0, 0), deriveSeed(42, 'dropout', 3, 1), deriveSeed(42, 'split'), deriveSeed(0, 'augmentation', 2 ** 40)])
      .toMatchInlineSnapshot(`
        [
          4202380547,
          2248236012,
          3119056907,
          1008201125,
        ]
      `);
  });

  it('is an unsigned 32-bit integer', () => {
    for (const seed of [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      const derived = deriveSeed(seed, 'dropout', seed);
      expect(Number.isInteger(derived) && derived >= 0 && derived < 2 ** 32).toBe(true);
    }
  });

  it('differs by seed, purpose, every number and how many there are', () => {
    const seeds = [
      ...PURPOSES.map((purpose) => deriveSeed(1, purpose, 2, 3)),
      deriveSeed(2, 'order', 2, 3), deriveSeed(1, 'order', 3, 2), deriveSeed(1, 'order', 2), deriveSeed(1, 'order', 2, 3, 0), deriveSeed(1, 'order'),
      deriveSeed(1 + 2 ** 32, 'order', 2, 3), deriveSeed(1, 'order', 2 + 2 ** 32, 3), deriveSeed(1, 'order', 2 + 2 ** 52, 3),
    ];
    expect(new Set(seeds).size).toBe(seeds.length);
  });

  it('spreads neighbours: 100,000 of them meet as seldom as random numbers do', () => {
    const seen = new Set<number>();
    for (let step = 0; step < 1000; step += 1) for (let microBatch = 0; microBatch < 100; microBatch += 1) seen.add(deriveSeed(42, 'dropout', step, microBatch));
    expect(100_000 - seen.size).toBeLessThan(10);
  });
});

describe('a uniform stream', () => {
  it('never changes', () => {
    const draw = uniformStream(1);
    expect([draw(), draw(), draw()]).toMatchInlineSnapshot(`
      [
        0.6270739405881613,
        0.002735721180215478,
        0.5274470399599522,
      ]
    `);
  });

  it('draws from 0 up to 1, evenly', () => {
    const draw = uniformStream(7);
    const counts = new Uint32Array(10);
    for (let count = 0; count < 100_000; count += 1) counts[Math.floor(draw() * 10)]! += 1;
    expect(counts.reduce((sum, count) => sum + count)).toBe(100_000);
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });

  it('is the same from the same seed and another from another', () => {
    const draws = (seed: number): number[] => Array.from({ length: 20 }, uniformStream(seed));
    expect(draws(3)).toEqual(draws(3));
    expect(draws(3)).not.toEqual(draws(4));
  });
});
