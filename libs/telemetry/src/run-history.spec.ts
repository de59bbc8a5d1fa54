import { describe, expect, it } from 'vitest';
import { createRunHistory } from './run-history.ts';
import { end, start, step } from './run-events.fixture.ts';

describe('createRunHistory', () => {
  it('remembers a short run as it was, but the workers of its last step alone', () => {
    const history = createRunHistory();
    [start, step(0), step(1), end].forEach((event) => history.write(event));
    expect(history.events()).toEqual([start, end, { ...step(0), workers: [] }, step(1)]);
  });

  it('thins a long run to means of neighbours, in bounded memory, and keeps its last step', () => {
    const history = createRunHistory();
    const numSteps = 50_001;
    for (let number = 0; number < numSteps; number += 1) history.write({ ...step(number), loss: number, numExamples: number === numSteps - 1 ? 7 : 64 });
    const points = history.events().filter((event) => event.event === 'step');
    expect(points.length).toBeGreaterThan(1000);
    expect(points.length).toBeLessThanOrEqual(2000);
    expect(points.at(-1)?.step).toBe(numSteps - 1);
    expect(points[0]).toMatchObject({ step: 31, loss: 15.5, numExamples: 32 * 64 });
    expect(points.reduce((total, point) => total + point.numExamples, 0)).toBe(64 * (numSteps - 1) + 7);
  });
});
