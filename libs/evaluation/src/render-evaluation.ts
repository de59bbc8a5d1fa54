import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import type { EvaluationReport } from './evaluation-report.ts';
import type { RunEvaluation, TokenEvaluation } from './run-evaluation.ts';
import { textTable, visibleWidth } from './text-table.ts';

const NAME_COLUMNS = 16;

type Colors = ReturnType<typeof pc.createColors>;

export interface RenderEvaluationOptions {
  readonly color: boolean;
  /** The terminal's width in characters. */
  readonly columns: number;
}

/** What a model makes of its test set, for a terminal. */
export function renderRunEvaluation({ kind, report }: RunEvaluation, options: RenderEvaluationOptions): string {
  return kind === 'tokens' ? renderTokens(report, options) : renderEvaluation(report, options);
}

function renderTokens({ perplexity, loss, accuracy, numExamples }: TokenEvaluation, { color }: RenderEvaluationOptions): string {
  const { bold, dim } = pc.createColors(color);
  return `perplexity ${bold(perplexity.toFixed(2))}   loss ${bold(loss.toFixed(4))}   ${dim(`${percent(accuracy)} of ${numExamples.toLocaleString('en')} tokens predicted as the most probable`)}\n`;
}

/** The report for a terminal: totals, a table of the classes, the confusion matrix where it fits the width, the most confused pairs. */
export function renderEvaluation(report: EvaluationReport, { color, columns }: RenderEvaluationOptions): string {
  const colors = pc.createColors(color);
  const names = report.classes.map((entry) => printableName(entry.name));
  const sections = [
    totals(report, colors),
    classTable(report, names, colors),
    confusionTable(report, names, colors, columns),
    confusedPairs(report, names, colors),
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function totals(report: EvaluationReport, colors: Colors): string[] {
  const correct = report.confusion.reduce((total, row, label) => total + (row[label] ?? 0), 0);
  const examples = `${correct.toLocaleString('en')} of ${report.numExamples.toLocaleString('en')} examples right`;
  return [`accuracy ${colors.bold(percent(report.accuracy))}   loss ${colors.bold(report.loss.toFixed(4))}   ${colors.dim(examples)}`];
}

function classTable(report: EvaluationReport, names: readonly string[], colors: Colors): string[] {
  const scores = (entry: { precision: number; recall: number; f1: number }) => [entry.precision, entry.recall, entry.f1].map((score) => score.toFixed(4));
  const header = ['class', 'precision', 'recall', 'F1', 'examples'].map((cell) => colors.dim(cell));
  const rows = report.classes.map((entry, label) => [names[label] ?? '', ...scores(entry), String(entry.support)]);
  const macro = [colors.bold('macro'), ...scores(report.macro).map((cell) => colors.bold(cell)), String(report.numExamples)];
  return textTable([header, ...rows, macro], ['left', 'right', 'right', 'right', 'right']);
}

function confusionTable(report: EvaluationReport, names: readonly string[], colors: Colors, columns: number): string[] {
  const title = colors.bold('Confusion matrix') + colors.dim('  rows: actual, columns: predicted');
  const rows = report.confusion.map((row, actual) => [
    colors.dim(names[actual] ?? ''),
    ...row.map((count, predicted) => confusionCell(count, actual === predicted, colors)),
  ]);
  const header = ['', ...names.map((name) => colors.dim(name))];
  const lines = textTable([header, ...rows], ['left', ...names.map(() => 'right' as const)]);
  const width = Math.max(...lines.map(visibleWidth));
  return width <= columns ? [title, ...lines] : [title, colors.dim(`needs ${width} columns of ${columns}; it is in the report`)];
}

function confusionCell(count: number, onDiagonal: boolean, colors: Colors): string {
  if (count === 0) return colors.dim('·');
  return onDiagonal ? colors.green(String(count)) : colors.red(String(count));
}

function confusedPairs(report: EvaluationReport, names: readonly string[], colors: Colors): string[] {
  const title = colors.bold('Most confused');
  if (report.mostConfused.length === 0) return [`${title}  none`];
  const rows = report.mostConfused.map(({ actual, predicted, count }) => [
    `${names[actual] ?? ''} taken for ${names[predicted] ?? ''}`,
    String(count),
    colors.dim(`${percent(count / (report.classes[actual]?.support ?? count))} of all ${names[actual] ?? ''}`),
  ]);
  return [title, ...textTable(rows, ['left', 'right', 'left'])];
}

/** A class name may come from a folder on disk: no control characters, and short enough for a column. */
function printableName(name: string): string {
  const printable = stripVTControlCharacters(name).replace(/\p{Cc}/gu, '');
  return printable.length <= NAME_COLUMNS ? printable : `${printable.slice(0, NAME_COLUMNS - 1)}…`;
}

function percent(rate: number): string {
  return `${(rate * 100).toFixed(2)} %`;
}
