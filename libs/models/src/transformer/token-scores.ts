/** Sums over tokens that count. */
export type TokenScores = {
  readonly lossSum: number;
  readonly numCorrect: number;
  readonly numExamples: number;
};

export const NO_TOKENS: TokenScores = { lossSum: 0, numCorrect: 0, numExamples: 0 };

/** In the order of the parts. */
export function sumOfScores(parts: readonly TokenScores[]): TokenScores {
  return parts.reduce((sum, part) => ({
    lossSum: sum.lossSum + part.lossSum,
    numCorrect: sum.numCorrect + part.numCorrect,
    numExamples: sum.numExamples + part.numExamples,
  }), NO_TOKENS);
}
