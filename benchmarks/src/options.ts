import { parseArgs } from 'node:util';
import { LockstepError, messageOf } from '@lockstep/core';
import { GROUPS, type Group } from './bench-row.ts';

export interface BenchOptions {
  readonly groups: readonly Group[];
  readonly repetitions: number;
  /** Short runs, to see that all works; the figures say little. */
  readonly quick: boolean;
  /** The interpreter that has PyTorch. */
  readonly python: string;
  /** Where to write the rows as JSON, or null. */
  readonly jsonFile: string | null;
}

export const USAGE = 'npm run bench -- [--rows a,b,c,d,e,f,g,h,i,j,k,l] [--repetitions N] [--quick] [--python PATH] [--json FILE]';

/** @throws LockstepError `usage` naming the option, what it got and what it takes. */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { rows, repetitions, quick = false, python = 'python3', json = null } = parseFlags(args);
  return { groups: parseGroups(rows), repetitions: parseRepetitions(repetitions, quick), quick, python, jsonFile: json };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { rows: { type: 'string' }, repetitions: { type: 'string' }, quick: { type: 'boolean' }, python: { type: 'string' }, json: { type: 'string' } },
    }).values;
  } catch (error) {
    throw new LockstepError('usage', messageOf(error), { hint: USAGE, cause: error });
  }
}

function parseGroups(text: string | undefined): readonly Group[] {
  const wanted = text?.split(',') ?? GROUPS;
  const unknown = wanted.find((name) => !GROUPS.includes(name as Group));
  if (unknown !== undefined) throw new LockstepError('usage', `--rows: got "${unknown}", expected some of ${GROUPS.join(',')}`);
  return GROUPS.filter((group) => wanted.includes(group));
}

function parseRepetitions(text: string | undefined, quick: boolean): number {
  const repetitions = text === undefined ? (quick ? 1 : 3) : Number(text);
  if (!Number.isInteger(repetitions) || repetitions < 1) throw new LockstepError('usage', `--repetitions: got "${text}", expected a whole number from 1`);
  return repetitions;
}
