import { textTable } from '@lockstep/evaluation';
import { rankTrials } from '@lockstep/search';
import { duration } from '../simulate/render-predictions.ts';
import { goalOf, type Metric } from './metric.ts';
import type { Sweep } from './sweep-directory.ts';
import { trialFlags, type SweepPlan } from './sweep-plan.ts';
import type { TrialResult } from './trial-result.ts';

const SIGNIFICANT_DIGITS = 4;

/** `0.2301`, `93.12 %` */
export function figureText(metric: Metric, figure: number): string {
  return metric === 'validation.accuracy' ? `${(figure * 100).toFixed(2)} %` : figure.toPrecision(SIGNIFICANT_DIGITS);
}

/** Best first; where trials had other budgets, those of the greatest first. */
export function rankResults({ metric }: SweepPlan, results: readonly TrialResult[]): readonly TrialResult[] {
  return rankTrials(results, goalOf(metric)).toSorted((a, b) => Number(a.score === null) - Number(b.score === null) || (b.budget ?? 0) - (a.budget ?? 0));
}

/** The trials as a table, best first, why some failed, and how to train the best one again. */
export function renderResults({ plan, directory }: Sweep, results: readonly TrialResult[]): string {
  const ranked = rankResults(plan, results);
  const fields = plan.trials[0]!.fields.map(({ field }) => field);
  const heading = ['trial', ...fields, plan.metric, 'epochs', 'time', 'run'];
  const rows = ranked.map(({ trial, fields: point, score, epochs, seconds, run }) => [
    String(trial), ...point.map(({ text }) => text), score === null ? 'failed' : figureText(plan.metric, score), String(epochs.length), duration(seconds * 1000), `${directory.name}/${run}`,
  ]);
  const failures = ranked.flatMap(({ run, failure }) => (failure === null ? [] : [`${run}: ${failure}`]));
  const best = ranked.find(({ score }) => score !== null);
  return [
    ...textTable([heading, ...rows], heading.map((_, column) => (column === heading.length - 1 ? 'left' : 'right'))),
    ...(failures.length === 0 ? [] : ['', ...failures]),
    ...(best === undefined ? [] : ['', `The best again: ${commandOf(plan, best)}`]),
  ].join('\n');
}

/** For machines. */
export function resultsObject({ plan, directory }: Sweep, results: readonly TrialResult[]): object {
  const ranked = rankResults(plan, results);
  const best = ranked.find(({ score }) => score !== null);
  return {
    sweep: directory.name, directory: directory.path, metric: plan.metric,
    best: best === undefined ? null : { trial: best.trial, run: best.run, command: commandOf(plan, best) },
    trials: ranked.map(({ trial, run, fields, budget, score, epochs, seconds, parametersSha256, failure }) => ({
      trial, run, fields: Object.fromEntries(fields.map(({ field, text }) => [field, text])), budget, score, epochs: epochs.length, seconds, parametersSha256, failure,
    })),
  };
}

/** `npx lockstep train …`, which trains the same weights. */
const commandOf = (plan: SweepPlan, { fields, budget }: TrialResult): string => ['npx lockstep train', ...trialFlags(plan, fields, budget).map(shellWord)].join(' ');

const shellWord = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`);
