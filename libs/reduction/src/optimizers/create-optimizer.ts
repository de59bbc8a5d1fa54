import { assertNever, type OptimizerConfig } from '@lockstep/core';
import type { Kernels } from '../kernels.ts';
import { createAdam } from './adam.ts';
import type { Optimizer } from './optimizer.ts';
import { createRmsprop } from './rmsprop.ts';
import { createSgd } from './sgd.ts';

/** The optimizer of a range of `length` parameters, its state all zeros. Formulas are those of `torch.optim`. */
export function createOptimizer(config: OptimizerConfig, kernels: Kernels, length: number): Optimizer {
  switch (config.kind) {
    case 'sgd': return createSgd(config, kernels, length);
    case 'adam':
    case 'adamw': return createAdam(config, kernels, length);
    case 'rmsprop': return createRmsprop(config, kernels, length);
    default: return assertNever(config);
  }
}
