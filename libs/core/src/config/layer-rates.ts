import { z } from 'zod';
import { LockstepError } from '../errors.ts';
import { matchesPattern } from '../name-pattern.ts';
import type { ParameterLayout } from '../parameter-layout.ts';

/**
 * `PATTERN=FACTOR`: tensors of these names, `*` for any part, step at so many times the schedule's learning rate (PyTorch's parameter groups). The first pattern
 * that fits a tensor counts; what none fits steps at the rate itself.
 */
export const layerRatesSchema = z.array(z.string().regex(/^.+=(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i, 'PATTERN=FACTOR, such as model.layers.0.*=0.1')).default([]);

/** A stretch of the flat vector whose learning rate is multiplied. */
export interface RateRange {
  readonly from: number;
  readonly to: number;
  readonly factor: number;
}

/**
 * Where the rate is another, in order.
 * @throws LockstepError `config` naming a pattern that fits no tensor that trains.
 */
export function rateRanges(layerRates: readonly string[], { parameters, trainableLength }: ParameterLayout): RateRange[] {
  const rates = layerRates.map((text) => ({ text, pattern: text.slice(0, text.lastIndexOf('=')), factor: Number(text.slice(text.lastIndexOf('=') + 1)) }));
  const trained = parameters.filter(({ offset }) => offset < trainableLength);
  const useless = rates.find(({ pattern }) => !trained.some(({ name }) => matchesPattern(pattern, name)));
  if (useless !== undefined) {
    throw new LockstepError('config', `layerRates: ${useless.text} fits no tensor that trains`, { hint: `they are ${trained.slice(0, 8).map(({ name }) => name).join(', ')}${trained.length > 8 ? ', …' : ''}` });
  }
  return trained.flatMap(({ name, offset, length }) => {
    const factor = rates.find(({ pattern }) => matchesPattern(pattern, name))?.factor ?? 1;
    return factor === 1 ? [] : [{ from: offset, to: offset + length, factor }];
  });
}
