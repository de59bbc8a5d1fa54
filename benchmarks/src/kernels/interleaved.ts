import { medianOf } from '@lockstep/core';

/** Runs once and tells the seconds it took. */
export type Contestant = () => number | Promise<number>;

const SECONDS_PER_TURN = 0.02;

/** A contestant that repeats a synchronous action often enough to be timed well, and tells the seconds of one. */
export function timed(action: () => void): Contestant {
  warmUp(action);
  const turns = Math.max(1, Math.round(SECONDS_PER_TURN / secondsOf(action, 1)));
  return () => secondsOf(action, turns);
}

/** Median seconds of each contestant; they take turns, so that all see the same noise of the machine. */
export async function mediansInterleaved<const Names extends string>(
  contestants: Readonly<Record<Names, Contestant>>, repetitions: number,
): Promise<Record<Names, number>> {
  const entries = Object.entries<Contestant>(contestants).map(([name, run]) => ({ name, run, seconds: [] as number[] }));
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const { run, seconds } of entries) seconds.push(await run());
  }
  return Object.fromEntries(entries.map(({ name, seconds }) => [name, medianOf(seconds)])) as Record<Names, number>;
}

/** Until the compilers' best code runs. */
function warmUp(action: () => void): void {
  const end = performance.now() + 200;
  while (performance.now() < end) action();
}

function secondsOf(action: () => void, turns: number): number {
  const start = performance.now();
  for (let turn = 0; turn < turns; turn++) action();
  return (performance.now() - start) / 1000 / turns;
}
