export type { ClassScores, ConfusedPair, EvaluationReport, Mistake, PrecisionRecallF1 } from './evaluation-report.ts';
export { evaluatePredictions, type Predictions } from './evaluate-predictions.ts';
export { textTable, type Align } from './text-table.ts';
export { renderEvaluation, type RenderEvaluationOptions } from './render-evaluation.ts';
