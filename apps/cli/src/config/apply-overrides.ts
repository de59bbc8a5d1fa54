import { optimizerSchema } from '@lockstep/core';
import type { FieldOverride } from './config-flags.ts';
import { configFields } from './config-fields.ts';
import { isObject, type OptionsTree } from './normalise.ts';

/** The options with the flags' values over them. */
export function applyOverrides(options: OptionsTree, overrides: readonly FieldOverride[]): OptionsTree {
  return overrides.reduce<OptionsTree>((tree, { path, value }) => setAt(tree, path, value, []), options);
}

function setAt(tree: OptionsTree, path: readonly string[], value: unknown, parents: readonly string[]): OptionsTree {
  const [key, ...rest] = path as [string, ...string[]];
  const here = [...parents, key];
  if (rest.length === 0) return { ...tree, [key]: isKindField(here) && typeof value === 'string' ? withKind(tree[key], value) : value };
  if (rest.length === 1 && rest[0] === 'kind') return { ...tree, [key]: withKind(tree[key], value) };
  return { ...tree, [key]: setAt(objectAt(tree, key, here), rest, value, here) };
}

/** The object that a deeper path goes into: what is there, or the default where nothing is. */
function objectAt(tree: OptionsTree, key: string, path: readonly string[]): OptionsTree {
  const value = tree[key];
  if (isObject(value)) return value;
  if (key === 'learningRate') return learningRateOf(tree, value);
  if (path.join('.') === 'optimizer') return { kind: 'adam' };
  if (path.join('.') === 'model') return { kind: 'cnn' };
  return path.join('.') === 'loss' ? { kind: 'crossEntropy' } : {};
}

/** A learning rate as its schedule: a plain number is a constant one, and each optimizer has its default. */
function learningRateOf(optimizer: OptionsTree, value: unknown): OptionsTree {
  if (typeof value === 'number') return { base: { kind: 'constant', rate: value } };
  const complete = optimizerSchema.safeParse({ kind: optimizer['kind'] });
  return complete.success ? { ...complete.data.learningRate } : {};
}

const isKindField = (path: readonly string[]): boolean =>
  configFields().some((field) => field.hidden && field.path.join('.') === [...path, 'kind'].join('.')) && path.at(-1) !== 'learningRate';

/** Another kind has other fields, so those of the old one go; every schedule has a rate, so that stays. */
function withKind(value: unknown, kind: unknown): unknown {
  if (!isObject(value) || value['kind'] === kind) return isObject(value) ? value : { kind };
  return 'rate' in value ? { kind, rate: value['rate'] } : { kind };
}
