import { expect, it } from 'vitest';
import { rungSizes, SweepWork, workAt } from './sweep-work.ts';
import { planOf } from './sweep.fixture.ts';

const plan = planOf(['1', '2', '3', '4', '5', '6'], [1, 3, 9]);
const start = { event: 'start', resumedFrom: 0, stepsPerEpoch: 4, totalSteps: 36 } as Parameters<SweepWork['event']>[1];
const step = (number: number) => ({ event: 'step', step: number }) as Parameters<SweepWork['event']>[1];

it('counts what each rung adds for those that reach it', () => {
  expect(rungSizes(plan)).toEqual([6, 2, 1]);
  expect([1, 3, 9].map((budget) => workAt(plan, budget))).toEqual([1, 2, 6]);
  expect(workAt(planOf(['1']), null)).toBe(1);
});

it('takes a run that pauses for done at its pause', () => {
  const work = new SweepWork(plan);
  work.begin(0, 1);
  expect(work.partOf(0)).toBe(0);
  work.event(0, start);
  work.event(0, step(1));
  expect(work.partOf(0)).toBe(0.5);
  work.event(0, step(5));
  expect(work.partOf(0)).toBe(1);
});

it('knows no time left before anything is done, and none when all is', () => {
  const work = new SweepWork(planOf(['1', '2']));
  work.found(null);
  expect(work.secondsLeft).toBeNull();
  work.begin(1, null);
  work.settled(1);
  expect(work.secondsLeft).toBe(0);
});
