export type { ClassScores, ConfusedPair, EvaluationReport, Mistake, PrecisionRecallF1 } from './evaluation-report.ts';
export { evaluatePredictions, type Predictions } from './evaluate-predictions.ts';
export { tokenEvaluation, type RunEvaluation, type TokenEvaluation } from './run-evaluation.ts';
export { textTable, type Align } from './text-table.ts';
export { renderEvaluation, renderRunEvaluation, type RenderEvaluationOptions } from './render-evaluation.ts';
