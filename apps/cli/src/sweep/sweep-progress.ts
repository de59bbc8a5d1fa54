import type { RunEvent } from '@lockstep/core';
import type { Point } from '@lockstep/search';
import { MultiBar, type Params, type SingleBar } from 'cli-progress';
import { duration } from '../simulate/render-predictions.ts';
import { goalOf } from './metric.ts';
import { figureText } from './render-results.ts';
import { rungsOf, runNameOf, type SweepPlan } from './sweep-plan.ts';
import { rungSizes, SweepWork } from './sweep-work.ts';
import type { TrialResult } from './trial-result.ts';

interface Running {
  readonly budget: number | null;
  readonly fields: Point;
  readonly bar: SingleBar | null;
  best: number | null;
}

interface LinePayload {
  readonly trial: number;
}

/** Of a terminal: a live line for each trial that is trained. Everywhere: a line that stays for each that is settled; none where `stream` is null. */
export class SweepProgress {
  readonly #plan: SweepPlan;
  readonly #stream: NodeJS.WriteStream | null;
  readonly #work: SweepWork;
  readonly #bars: MultiBar | null;
  readonly #running = new Map<number, Running>();
  /** By rung. */
  readonly #numSettled: number[] = [];

  constructor(plan: SweepPlan, stream: NodeJS.WriteStream | null) {
    this.#plan = plan;
    this.#stream = stream;
    this.#work = new SweepWork(plan);
    this.#bars = stream?.isTTY === true ? new MultiBar({ stream, clearOnComplete: true, forceRedraw: true, format: (_, params, payload: LinePayload) => this.#liveLine(params, payload) }) : null;
  }

  /** An earlier process settled it. */
  found(result: TrialResult): TrialResult {
    this.#work.found(result.budget);
    return this.#print(result);
  }

  begin(trial: number, budget: number | null, fields: Point): void {
    this.#work.begin(trial, budget);
    this.#running.set(trial, { budget, fields, best: null, bar: this.#bars?.create(1, 0, { trial } satisfies LinePayload) ?? null });
  }

  event(trial: number, event: RunEvent): void {
    this.#work.event(trial, event);
    const running = this.#running.get(trial);
    if (running === undefined) return;
    if (event.event === 'epoch') running.best = this.#betterOf(running.best, event);
    running.bar?.update(this.#work.partOf(trial));
  }

  settled(result: TrialResult): TrialResult {
    this.#work.settled(result.trial);
    const bar = this.#running.get(result.trial)?.bar;
    if (bar != null) this.#bars?.remove(bar);
    this.#running.delete(result.trial);
    return this.#print(result);
  }

  /** Clears the live lines once what was to stay is written. */
  close(): void {
    this.#bars?.update();
    this.#bars?.stop();
  }

  #betterOf(best: number | null, { validation }: Extract<RunEvent, { event: 'epoch' }>): number | null {
    if (validation === null || this.#plan.metric === 'loss') return best;
    const isLeast = goalOf(this.#plan.metric) === 'least';
    const figure = isLeast ? validation.loss : validation.accuracy;
    return best === null || (isLeast ? figure < best : figure > best) ? figure : best;
  }

  #print(result: TrialResult): TrialResult {
    const rung = rungsOf(this.#plan).indexOf(result.budget);
    this.#numSettled[rung] = (this.#numSettled[rung] ?? 0) + 1;
    const outcome = result.failure === null ? [this.#figure(result.score), `${result.epochs.length} epochs`, duration(result.seconds * 1000)] : [`failed: ${result.failure}`];
    const line = [`${this.#numSettled[rung]} of ${rungSizes(this.#plan)[rung]}${this.#rungText(rung)}`, result.run, ...fieldTexts(result.fields), ...outcome, ...this.#leftText()].join('  ');
    if (this.#bars === null) this.#stream?.write(`${line}\n`);
    else this.#bars.log(`${line}\n`);
    return result;
  }

  #liveLine({ progress }: Params, { trial }: LinePayload): string {
    const running = this.#running.get(trial);
    if (running === undefined) return '';
    const { budget, fields, best } = running;
    return [`${Math.floor(progress * 100)} %`.padStart(5), runNameOf(this.#plan, trial, budget), ...fieldTexts(fields), this.#figure(best), ...this.#leftText()].join('  ').slice(0, (this.#stream?.columns ?? 100) - 1);
  }

  #figure(score: number | null): string {
    return `${this.#plan.metric} ${score === null ? '–' : figureText(this.#plan.metric, score)}`;
  }

  #rungText(rung: number): string {
    return this.#plan.halving === null ? '' : ` at rung ${rung + 1} of ${this.#plan.halving.budgets.length}`;
  }

  #leftText(): string[] {
    const left = this.#work.secondsLeft;
    return left === null || left === 0 ? [] : [`about ${duration(Math.ceil(left) * 1000)} left`];
  }
}

const fieldTexts = (fields: Point): string[] => fields.map(({ field, text }) => `${field}=${text}`);
