import { LockstepError, type DataSourceOptions } from '@lockstep/core';

/**
 * `mnist | idx:DIR | csv:TRAIN[,TEST] | images:DIR | tokens:FILE`
 * @throws LockstepError `usage` saying what it got.
 */
export function parseDataFlag(text: string): DataSourceOptions {
  const [kind, rest] = splitOnce(text, ':');
  if (text === 'mnist') return { kind: text };
  if ((kind === 'idx' || kind === 'images') && rest !== '') return { kind, directory: rest };
  if (kind === 'tokens' && rest !== '') return { kind, file: rest };
  if (kind === 'csv' && rest !== '') {
    const [training, test] = splitOnce(rest, ',');
    return { kind, training, ...(test === '' ? {} : { test }) };
  }
  throw new LockstepError('usage', `data: got ${JSON.stringify(text)}, expected mnist, idx:DIR, csv:TRAIN[,TEST], images:DIR or tokens:FILE (from --data)`);
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
