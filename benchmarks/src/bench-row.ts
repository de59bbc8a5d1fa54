import type { Row } from './row.ts';
import type { RatioSummary } from './statistics.ts';

/** Which part of the bench a row belongs to. */
export const GROUPS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'] as const;
export type Group = (typeof GROUPS)[number];

/** A row with what the table adds to it. */
export interface BenchRow extends Row {
  readonly group: Group;
  /** Least and greatest ratio of the repetitions, where they were kept. */
  readonly range: Omit<RatioSummary, 'median'> | null;
}
