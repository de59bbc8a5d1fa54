import { expect, it } from 'vitest';
import { rankTrials } from './ranking.ts';

it('ranks failed trials last', () => {
  const trials = [{ trial: 0, score: null }, { trial: 1, score: 2 }, { trial: 2, score: 1 }, { trial: 3, score: 1 }];
  expect(rankTrials(trials, 'least').map(({ trial }) => trial)).toEqual([2, 3, 1, 0]);
  expect(rankTrials(trials, 'greatest').map(({ trial }) => trial)).toEqual([1, 2, 3, 0]);
});
