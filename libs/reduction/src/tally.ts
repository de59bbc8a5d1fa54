/** What rides with a gradient sum: exact counts, and the loss sum in 64-bit, added in tree order too. */
export interface Tally {
  readonly numExamples: number;
  readonly numCorrect: number;
  readonly lossSum: number;
  /** Micro-batches whose loss or gradient was no number; above 0 the step changes nothing. */
  readonly numNonFinite: number;
}

export const emptyTally: Tally = { numExamples: 0, numCorrect: 0, lossSum: 0, numNonFinite: 0 };

/** The tally of a node from those of its children. Left first: the sum of losses is a float. */
export function addTallies(left: Tally, right: Tally): Tally {
  return {
    numExamples: left.numExamples + right.numExamples,
    numCorrect: left.numCorrect + right.numCorrect,
    lossSum: left.lossSum + right.lossSum,
    numNonFinite: left.numNonFinite + right.numNonFinite,
  };
}
