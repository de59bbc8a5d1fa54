import type { Rank } from '@lockstep/core';

/** Samples of one part of an evaluation: a unit of work whose sums are added in part order, whoever computed them. */
export const EVALUATION_PART_EXAMPLES = 500;

export const numEvaluationParts = (numExamples: number): number => Math.ceil(numExamples / EVALUATION_PART_EXAMPLES);

/** The samples of a part: positions in the split, in file order. */
export function evaluationPartRange(part: number, numExamples: number): { readonly from: number; readonly to: number } {
  return { from: part * EVALUATION_PART_EXAMPLES, to: Math.min(numExamples, (part + 1) * EVALUATION_PART_EXAMPLES) };
}

/** Deals the parts out in turn. */
export function dealParts(numParts: number, ranks: readonly Rank[]): ReadonlyMap<Rank, readonly number[]> {
  return redealParts(Array.from({ length: numParts }, (_, part) => part), ranks);
}

/** Deals these parts out in turn: those that a lost worker has not evaluated, to the others. */
export function redealParts(parts: readonly number[], ranks: readonly Rank[]): ReadonlyMap<Rank, readonly number[]> {
  return new Map(ranks.map((rank, turn) => [rank, parts.filter((_, index) => index % ranks.length === turn)]));
}
