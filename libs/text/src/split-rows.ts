import { LockstepError } from '@lockstep/core';

/** Rows `from` up to and without `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export interface RowSplits {
  readonly training: Range;
  readonly validation: Range;
  readonly test: Range;
}

/**
 * Cuts rows in three, contiguous and in this order, so that neighbours, which overlap or continue each other, meet at two edges only.
 * A share is rounded, to at least one row where it is above 0. Throws `data` where no row is left to train on.
 */
export function splitRows(numRows: number, shares: { readonly validation: number; readonly test: number }): RowSplits {
  const [validation, test] = [rowsOf(shares.validation, numRows), rowsOf(shares.test, numRows)];
  const training = numRows - validation - test;
  if (training < 1) {
    throw new LockstepError('data', `${numRows} rows, of which ${validation} are for validation and ${test} for the test: none is left to train on`, { hint: 'take shorter rows, more text, or smaller shares' });
  }
  return { training: { from: 0, to: training }, validation: { from: training, to: training + validation }, test: { from: training + validation, to: numRows } };
}

const rowsOf = (share: number, numRows: number): number => (share > 0 ? Math.max(1, Math.round(share * numRows)) : 0);
