import { evaluationPartRange, sizeOfRows } from '@lockstep/scheduling';
import type { Range, TokenFile } from '@lockstep/text';
import type { LanguageModel, MicroBatchGradient } from './training-model.ts';

export type TokenScores = Omit<MicroBatchGradient, 'flat'>;

/** Evaluates one part of a split of a token file on the parameters last loaded: one row at a time, which bounds the memory and is part of what a result's bits depend on. */
export function evaluateRows(model: LanguageModel, file: TokenFile, rowLength: number, split: Range, part: number): TokenScores {
  const { from, to } = evaluationPartRange(part, sizeOfRows(split.to - split.from, rowLength));
  let sums: TokenScores = { lossSum: 0, numCorrect: 0, numExamples: 0 };
  for (let row = from; row < to; row += 1) sums = added(sums, model.evaluate(file.readRows([split.from + row], rowLength)));
  return sums;
}

const added = (a: TokenScores, b: TokenScores): TokenScores =>
  ({ lossSum: a.lossSum + b.lossSum, numCorrect: a.numCorrect + b.numCorrect, numExamples: a.numExamples + b.numExamples });
