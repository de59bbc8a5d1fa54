import { rankResults } from './render-results.ts';
import { needsValidation } from './metric.ts';
import type { SweepPlan } from './sweep-plan.ts';
import type { TrialResult } from './trial-result.ts';

/** What the page's script draws. */
export interface PlotData {
  readonly metric: string;
  readonly fields: readonly FieldPlot[];
  readonly curveName: string;
  /** Best trial first. */
  readonly curves: readonly { readonly run: string; readonly loss: readonly (number | null)[] }[];
}

/** The metric over one field's values, which `x` stands for. */
export interface FieldPlot {
  readonly field: string;
  readonly isLog: boolean;
  /** Values that are no numbers stand at 0, 1, … in this order; null where all are numbers. */
  readonly names: readonly string[] | null;
  /** In the order of `x`. */
  readonly points: readonly { readonly x: number; readonly score: number; readonly run: string }[];
}

/** Beyond so many curves nobody tells one from another. */
const MAX_CURVES = 30;

export function plotData(plan: SweepPlan, results: readonly TrialResult[]): PlotData {
  const isValidated = needsValidation(plan.metric);
  const begun = rankResults(plan, results).filter(({ epochs }) => epochs.length > 0);
  return {
    metric: plan.metric,
    fields: plan.trials[0]!.fields.map(({ field }, axis) => fieldPlot(plan, results, field, axis)),
    curveName: isValidated ? 'validation.loss' : 'training loss',
    curves: begun.slice(0, MAX_CURVES).map(({ run, epochs }) => ({ run, loss: epochs.map(({ loss, validation }) => finiteOr(isValidated ? validation?.loss : loss)) })),
  };
}

function fieldPlot(plan: SweepPlan, results: readonly TrialResult[], field: string, axis: number): FieldPlot {
  const texts = plan.trials.map(({ fields }) => fields[axis]!.text);
  const names = texts.some((text) => Number.isNaN(Number(text))) ? [...new Set(texts)] : null;
  const points = results.flatMap(({ trial, score, run }) => {
    const text = texts[trial]!;
    return score === null ? [] : [{ x: names?.indexOf(text) ?? Number(text), score, run }];
  });
  return { field, isLog: names === null && plan.logFields.includes(field), names, points: points.toSorted((a, b) => a.x - b.x) };
}

const finiteOr = (value: number | undefined): number | null => (value !== undefined && Number.isFinite(value) ? value : null);
