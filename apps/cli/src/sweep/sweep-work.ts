import type { RunEvent } from '@lockstep/core';
import { rungsOf, type SweepPlan } from './sweep-plan.ts';
import { pauseOf } from './trial-result.ts';

/** What one training of a sweep is of all its work, in the unit of its budgets; without halving each is 1. */
export function workAt(plan: SweepPlan, budget: number | null): number {
  if (plan.halving === null || budget === null) return 1;
  const before = plan.halving.budgets[plan.halving.budgets.indexOf(budget) - 1] ?? 0;
  return plan.halving.unit === 'epochs' ? budget - before : budget;
}

/** How many trials each rung has, where none fails. */
export function rungSizes(plan: SweepPlan): readonly number[] {
  let size = plan.trials.length;
  return rungsOf(plan).map((_, rung) => {
    if (rung > 0) size = Math.max(1, Math.floor(size / plan.halving!.factor));
    return size;
  });
}

/** Work done and to do; how long the rest takes follows from what this process has done since it began. */
export class SweepWork {
  readonly #plan: SweepPlan;
  readonly #startedMs = performance.now();
  readonly #running = new Map<number, { readonly work: number; readonly budget: number | null; start: Extract<RunEvent, { event: 'start' }> | null; part: number }>();
  #left: number;
  #done = 0;

  constructor(plan: SweepPlan) {
    this.#plan = plan;
    this.#left = rungSizes(plan).reduce((sum, size, rung) => sum + size * workAt(plan, rungsOf(plan)[rung] ?? null), 0);
  }

  /** An earlier process did it. */
  found(budget: number | null): void {
    this.#left -= workAt(this.#plan, budget);
  }

  begin(trial: number, budget: number | null): void {
    this.#running.set(trial, { work: workAt(this.#plan, budget), budget, start: null, part: 0 });
  }

  event(trial: number, event: RunEvent): void {
    const running = this.#running.get(trial);
    if (running === undefined) return;
    if (event.event === 'start') running.start = event;
    if (event.event !== 'step' || running.start === null) return;
    const { resumedFrom, stepsPerEpoch, totalSteps } = running.start;
    const pausesAfter = pauseOf(this.#plan, running.budget);
    const until = pausesAfter === null ? totalSteps : pausesAfter * stepsPerEpoch;
    running.part = Math.min(1, (event.step + 1 - resumedFrom) / Math.max(1, until - resumedFrom));
  }

  settled(trial: number): void {
    const work = this.#running.get(trial)?.work ?? 0;
    this.#running.delete(trial);
    this.#left -= work;
    this.#done += work;
  }

  /** From 0 to 1, of the training of a trial. */
  partOf(trial: number): number {
    return this.#running.get(trial)?.part ?? 0;
  }

  /** Null until something is done. */
  get secondsLeft(): number | null {
    const begun = [...this.#running.values()].reduce((sum, { work, part }) => sum + work * part, 0);
    const seconds = (performance.now() - this.#startedMs) / 1000;
    return this.#done + begun === 0 ? null : (seconds * Math.max(0, this.#left - begun)) / (this.#done + begun);
  }
}
