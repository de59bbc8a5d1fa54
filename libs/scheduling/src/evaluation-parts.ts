import type { Rank } from '@lockstep/core';

/** What is evaluated, in parts: units of work whose sums are added in part order, whoever computed them. */
export interface EvaluationSize {
  readonly numSamples: number;
  /** Samples of one part. */
  readonly partSamples: number;
}

const IMAGES_A_PART = 500;
const TOKENS_A_PART = 4096;

export const sizeOfImages = (numSamples: number): EvaluationSize => ({ numSamples, partSamples: IMAGES_A_PART });

/** Of rows of tokens; a part is a few seconds' work for a model of a hundred million parameters. */
export const sizeOfRows = (numSamples: number, rowLength: number): EvaluationSize => ({ numSamples, partSamples: Math.max(1, Math.floor(TOKENS_A_PART / rowLength)) });

export const numEvaluationParts = ({ numSamples, partSamples }: EvaluationSize): number => Math.ceil(numSamples / partSamples);

/** The samples of a part: positions in the split, in file order. */
export function evaluationPartRange(part: number, { numSamples, partSamples }: EvaluationSize): { readonly from: number; readonly to: number } {
  return { from: part * partSamples, to: Math.min(numSamples, (part + 1) * partSamples) };
}

/** Deals the parts out in turn. */
export function dealParts(numParts: number, ranks: readonly Rank[]): ReadonlyMap<Rank, readonly number[]> {
  return redealParts(Array.from({ length: numParts }, (_, part) => part), ranks);
}

/** Deals these parts out in turn: those that a lost worker has not evaluated, to the others. */
export function redealParts(parts: readonly number[], ranks: readonly Rank[]): ReadonlyMap<Rank, readonly number[]> {
  return new Map(ranks.map((rank, turn) => [rank, parts.filter((_, index) => index % ranks.length === turn)]));
}
