import { readFile } from 'node:fs/promises';
import { LockstepError, messageOf } from '@lockstep/core';
import type { z } from 'zod';
import { checkFields } from './checked-fields.ts';

/** @throws LockstepError `not-found` where there is no such file, `data` where it is not JSON or a field is not as `schema` has it. */
export async function readJsonFile<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  return checkFields(path, await parseJsonFile(path), schema);
}

async function parseJsonFile(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'not-found' : 'data';
    throw new LockstepError(code, `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}
