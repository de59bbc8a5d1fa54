import { array, assert, constantFrom, integer, option, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { budgetsOf, promote } from './halving.ts';

describe('successive halving', () => {
  const scores = array(option(integer({ min: 0, max: 5 })), { minLength: 1, maxLength: 30 }).map((found) => found.map((score, trial) => ({ trial, score })));

  it('promotes exactly the best floor(n / factor), ties by trial number, and none that failed', () => {
    assert(property(scores, constantFrom('least', 'greatest'), integer({ min: 2, max: 5 }), (trials, goal, factor) => {
      const promoted = new Set(promote(trials, goal, factor));
      const sound = trials.filter(({ score }) => score !== null);
      expect(promoted.size).toBe(Math.min(sound.length, Math.max(1, Math.floor(trials.length / factor))));
      const isBefore = (a: (typeof trials)[number], b: (typeof trials)[number]) => a.score === b.score ? a.trial < b.trial : (a.score! < b.score!) === (goal === 'least');
      for (const better of trials.filter(({ trial }) => promoted.has(trial))) {
        for (const worse of sound.filter(({ trial }) => !promoted.has(trial))) expect(isBefore(better, worse)).toBe(true);
      }
    }));
  });

  it('has rungs from the least to the most budget, each greater than the one before', () => {
    assert(property(integer({ min: 1, max: 50 }), integer({ min: 0, max: 5000 }), integer({ min: 2, max: 9 }), (least, more, factor) => {
      const budgets = budgetsOf({ least, most: least + more, factor });
      expect([budgets[0], budgets.at(-1)]).toEqual([least, least + more]);
      expect(budgets).toEqual([...new Set(budgets)].toSorted((a, b) => a - b));
    }));
    expect(budgetsOf({ least: 1, most: 27, factor: 3 })).toEqual([1, 3, 9, 27]);
    expect(budgetsOf({ least: 1, most: 20, factor: 3 })).toEqual([1, 3, 9, 20]);
  });
});
