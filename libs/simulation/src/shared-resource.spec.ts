import { expect, it } from 'vitest';
import { EventQueue } from './event-queue.ts';
import { SharedResource } from './shared-resource.ts';

/** When each use of a resource is done, by its name; it serves so much a millisecond in all. */
function endsOf(rate: (sharers: number) => number, plan: (use: (name: string, work: number, sharers?: number) => () => void, after: (ms: number, then: () => void) => void) => void): Record<string, number> {
  const queue = new EventQueue();
  const resource = new SharedResource(queue, rate);
  const ends: Record<string, number> = {};
  let open = 0;
  const use = (name: string, work: number, sharers?: number): (() => void) => {
    open += 1;
    const cancel = resource.use(work, () => {
      ends[name] = Math.round(queue.nowMs * 1000) / 1000;
      open -= 1;
    }, sharers);
    return () => {
      open -= 1;
      cancel();
    };
  };
  let planned = 0;
  plan(use, (ms, then) => {
    planned += 1;
    queue.after(ms, () => {
      planned -= 1;
      then();
    });
  });
  queue.runUntil(() => open === 0 && planned === 0);
  return ends;
}
const evenly = (sharers: number): number => 10 / sharers;

it('serves one alone at its full rate', () => {
  expect(endsOf(evenly, (use) => use('a', 100))).toEqual({ a: 10 });
});

it('shares fairly among those that are there', () => {
  expect(endsOf(evenly, (use) => { use('a', 100); use('b', 50); })).toEqual({ b: 10, a: 15 });
});

it('gives one that comes later its share from then on', () => {
  expect(endsOf(evenly, (use, after) => { use('a', 100); after(5, () => use('b', 100)); })).toEqual({ a: 15, b: 20 });
});

it('counts a use with several sharers as so many', () => {
  expect(endsOf(evenly, (use) => { use('three', 75, 3); use('one', 25); })).toEqual({ three: 10, one: 10 });
});

it('serves nobody faster than one alone may be', () => {
  expect(endsOf((sharers) => Math.min(2, 10 / sharers), (use) => { use('a', 20); use('b', 20); })).toEqual({ a: 10, b: 10 });
});

it('leaves the rest more when one gives up', () => {
  expect(endsOf(evenly, (use, after) => {
    const giveUp = use('a', 1000);
    use('b', 100);
    after(10, giveUp);
  })).toEqual({ b: 15 });
});

it('is not stuck on what is less than the clock can tell', () => {
  expect(endsOf((sharers) => 3e6 / sharers, (use, after) => { after(1e8 / 3, () => { use('a', 1 / 3); use('b', 1 / 7); }); })).toEqual({ a: expect.any(Number), b: expect.any(Number) });
});
