import { uniformStream } from '@lockstep/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleToken, type SamplingOptions } from './sampler.ts';

/** Probabilities 0.1, 0.5, 0.15 and 0.25. */
const LOGITS = Float32Array.from([0.1, 0.5, 0.15, 0.25], Math.log);
const ALL: SamplingOptions = { temperature: 1, topK: null, topP: 1 };

function frequencies(options: SamplingOptions): number[] {
  const uniform = uniformStream(7);
  const counts = [0, 0, 0, 0];
  for (let draw = 0; draw < 20_000; draw++) counts[sampleToken(LOGITS, options, uniform)]! += 1 / 20_000;
  return counts;
}

function expectFrequencies(options: SamplingOptions, expected: readonly number[]): void {
  frequencies(options).forEach((frequency, token) => (expected[token] === 0 ? expect(frequency).toBe(0) : expect(Math.abs(frequency - expected[token]!)).toBeLessThan(0.01)));
}

describe('sampling a token', () => {
  it('takes each as often as its probability says', () => expectFrequencies(ALL, [0.1, 0.5, 0.15, 0.25]));

  it('takes the k most probable only', () => expectFrequencies({ ...ALL, topK: 2 }, [0, 2 / 3, 0, 1 / 3]));

  it('takes the most probable that together reach p only', () => expectFrequencies({ ...ALL, topP: 0.76 }, [0, 0.5 / 0.9, 0.15 / 0.9, 0.25 / 0.9]));

  it('sharpens with a low temperature', () => expectFrequencies({ ...ALL, temperature: 0.5 }, [0.01, 0.25, 0.0225, 0.0625].map((square) => square / 0.345)));

  it('takes the first of the most probable at temperature 0', () => {
    expect(sampleToken(Float32Array.of(1, 3, 3, 2), { ...ALL, temperature: 0 }, () => 0.99)).toBe(1);
  });

  it('gives a token of those allowed for any logits and draw', () => {
    const logits = fc.float32Array({ minLength: 1, maxLength: 20, min: -50, max: 50, noNaN: true });
    const options = fc.record({ temperature: fc.constantFrom(0, 0.1, 1, 5), topK: fc.option(fc.integer({ min: 1, max: 30 })), topP: fc.double({ min: 0.01, max: 1, noNaN: true }) });
    fc.assert(fc.property(logits, options, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (values, chosen, draw) => {
      const token = sampleToken(values, chosen, () => draw);
      expect(values.filter((value) => value > values[token]!).length).toBeLessThan(chosen.topK ?? values.length);
    }));
  });
});
