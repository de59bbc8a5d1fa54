import { LockstepError, roundedWireSchema, type LossOptions } from '@lockstep/core';
import type { LossName } from './definition.ts';

const LOSSES: Readonly<Record<LossName, LossOptions>> = {
  sparseCategoricalCrossentropy: { kind: 'crossEntropy', labels: 'sparse' },
  categoricalCrossentropy: { kind: 'crossEntropy', labels: 'oneHot' },
  meanSquaredError: { kind: 'meanSquaredError' },
};

export type OptionsTree = Record<string, unknown>;

/** Spells shorthands out: a name becomes `{ kind: name }`, a loss by TensorFlow.js's name the loss it means. */
export function normaliseOptions(options: OptionsTree): OptionsTree {
  const { model, loss, optimizer, wire, ...others } = options;
  return {
    ...others,
    ...(model === undefined ? {} : { model: normaliseModel(model) }),
    ...(loss === undefined ? {} : { loss: normaliseLoss(loss) }),
    ...(optimizer === undefined ? {} : { optimizer: namedKind(optimizer) }),
    ...(wire === undefined ? {} : { wire: normaliseWire(wire) }),
  };
}

export const isObject = (value: unknown): value is OptionsTree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws LockstepError `config` if a default export is no set of options. */
export function checkOptions(value: unknown, file: string): OptionsTree {
  if (isObject(value)) return value;
  throw new LockstepError('config', `${file}: the default export is ${value === undefined ? 'missing' : typeof value}, expected a run`, {
    hint: 'end the file with export default defineRun({ … })',
  });
}

const namedKind = (value: unknown): unknown => (typeof value === 'string' ? { kind: value } : value);

const normaliseModel = (model: unknown): unknown => (typeof model === 'function' ? { kind: 'custom' } : namedKind(model));

/** One that only rounds is its name; others have options besides theirs. */
function normaliseWire(wire: unknown): unknown {
  const kind = isObject(wire) ? wire['kind'] : wire;
  const isRounded = roundedWireSchema.safeParse(kind).success && (!isObject(wire) || Object.keys(wire).length === 1);
  return isRounded ? kind : namedKind(wire);
}

const normaliseLoss = (loss: unknown): unknown =>
  typeof loss === 'string' && Object.hasOwn(LOSSES, loss) ? LOSSES[loss as LossName] : namedKind(loss);
