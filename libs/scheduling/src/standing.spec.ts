import { describe, expect, it } from 'vitest';
import { withNext, withoutPast } from './standing.ts';

const from = (...steps: number[]) => steps.map((fromStep) => ({ fromStep }));

describe('what holds from a step on', () => {
  it('gives way to the latest word about that step and those after it', () => {
    expect(withNext(from(0, 10, 20), { fromStep: 10 })).toEqual(from(0, 10));
    expect(withNext(from(0, 10), { fromStep: 30 })).toEqual(from(0, 10, 30));
    expect(withNext(from(), { fromStep: 3 })).toEqual(from(3));
  });

  it('is forgotten when the next has taken effect, not before', () => {
    expect(withoutPast(from(0, 10, 20), 9)).toEqual(from(0, 10, 20));
    expect(withoutPast(from(0, 10, 20), 10)).toEqual(from(10, 20));
    expect(withoutPast(from(5, 10), 2)).toEqual(from(5, 10));
    expect(withoutPast(from(), 2)).toEqual([]);
  });
});
