import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ControlNotes } from './control-notes.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

it('passes ten notes on at once and then one a second, which says how many were left out', () => {
  const passed: string[] = [];
  const notes = new ControlNotes((_level, message) => passed.push(message));
  for (let note = 0; note < 1_000; note += 1) notes.warn(`note ${note}`);
  expect(passed).toEqual(Array.from({ length: 10 }, (_, note) => `note ${note}`));
  vi.advanceTimersByTime(1_000);
  notes.warn('later');
  notes.warn('too soon');
  expect(passed.slice(10)).toEqual(['later (and 990 more such notes)']);
  vi.advanceTimersByTime(60_000);
  for (let note = 0; note < 20; note += 1) notes.warn('again');
  expect(passed.slice(11)).toEqual(['again (and 1 more such notes)', ...Array.from({ length: 9 }, () => 'again')]);
});
