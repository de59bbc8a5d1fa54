import type { EvaluationReport } from './evaluation-report.ts';

/** How well a model predicts each next token of a text. */
export interface TokenEvaluation {
  /** Tokens that count. */
  readonly numExamples: number;
  /** Mean over them, in nats. */
  readonly loss: number;
  /** The exponential of the loss. */
  readonly perplexity: number;
  /** How often the most probable token is the right one. */
  readonly accuracy: number;
}

/** What a run's model makes of its test set. */
export type RunEvaluation = { readonly kind: 'classes'; readonly report: EvaluationReport } | { readonly kind: 'tokens'; readonly report: TokenEvaluation };

export function tokenEvaluation({ lossSum, numCorrect, numExamples }: { readonly lossSum: number; readonly numCorrect: number; readonly numExamples: number }): TokenEvaluation {
  const loss = lossSum / numExamples;
  return { numExamples, loss, perplexity: Math.exp(loss), accuracy: numCorrect / numExamples };
}
