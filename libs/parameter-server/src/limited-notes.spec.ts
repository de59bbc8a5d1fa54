import { expect, it } from 'vitest';
import { LimitedNotes } from './limited-notes.ts';

it('tells one line a second, and how many were left out', () => {
  let nowMs = 0;
  const told: string[] = [];
  const notes = new LimitedNotes((message) => told.push(message), () => nowMs);
  for (const [atMs, message] of [[0, 'a'], [1, 'b'], [999, 'c'], [1000, 'd'], [1500, 'e'], [5000, 'f'], [9000, 'g']] as const) {
    nowMs = atMs;
    notes.add(message);
  }
  expect(told).toEqual(['a', 'd (and 2 more since the last such line)', 'f (and 1 more since the last such line)', 'g']);
});
