import { LockstepError } from '@lockstep/core';
import type { z } from 'zod';

/**
 * The fields of a file that `schema` names.
 * @throws LockstepError `data` with each field that is missing or is not as it must be: the file, the field, its value and what was expected.
 */
export function checkFields<T>(path: string, fields: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(fields);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${nameOf(issue.path)} is ${render(valueAt(fields, issue.path))}: ${issue.message}`);
  throw new LockstepError('data', `${path}: ${problems.join('; ')}`);
}

const nameOf = (path: readonly PropertyKey[]): string => (path.length === 0 ? 'the whole' : path.map(String).join('.'));

const valueAt = (fields: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], fields);

const LONGEST_VALUE = 80;
const render = (value: unknown): string => (value === undefined ? 'missing' : JSON.stringify(value).slice(0, LONGEST_VALUE));
