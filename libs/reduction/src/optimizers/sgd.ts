import type { OptimizerConfig } from '@lockstep/core';
import type { Kernels } from '../kernels.ts';
import type { Optimizer } from './optimizer.ts';

type SgdConfig = Extract<OptimizerConfig, { kind: 'sgd' }>;

/** `torch.optim.SGD`, dampening 0. */
export function createSgd({ l2, momentum, nesterov }: SgdConfig, kernels: Kernels, length: number): Optimizer {
  if (momentum === 0) {
    return {
      slots: [],
      step: (parameters, gradient, learningRate) => kernels.stepSgd(parameters, gradient, { learningRate, l2 }),
    };
  }
  const velocity = kernels.allocateZeros(length);
  return {
    slots: [{ name: 'momentum_buffer', vector: velocity }],
    step: (parameters, gradient, learningRate, _update, from = 0) =>
      kernels.stepMomentum(parameters, gradient, kernels.slice(velocity, from, from + gradient.length), { learningRate, l2, momentum, nesterov }),
  };
}
