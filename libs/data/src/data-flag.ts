import { LockstepError, type DataSource } from '@lockstep/core';

/** Reads `mnist`, `idx:DIR`, `csv:TRAINING[,TEST]` or `images:DIR`. Anything else is a `usage` error. */
export function parseDataFlag(text: string): DataSource {
  const colon = text.indexOf(':');
  const kind = colon < 0 ? text : text.slice(0, colon);
  const rest = colon < 0 ? '' : text.slice(colon + 1);
  if (kind === 'mnist' && colon < 0) return { kind };
  if ((kind === 'idx' || kind === 'images') && rest !== '') return { kind, directory: rest };
  const [training = '', test, ...surplus] = rest.split(',');
  if (kind === 'csv' && training !== '' && test !== '' && surplus.length === 0) {
    return test === undefined ? { kind, training } : { kind, training, test };
  }
  throw new LockstepError('usage', `--data is "${text}", expected mnist, idx:DIR, csv:TRAIN[,TEST] or images:DIR`);
}

/** The source as `parseDataFlag` reads it. */
export function formatDataFlag(source: DataSource): string {
  if (source.kind === 'mnist') return 'mnist';
  if (source.kind === 'csv') return `csv:${source.training}${source.test === undefined ? '' : `,${source.test}`}`;
  return `${source.kind}:${source.directory}`;
}
