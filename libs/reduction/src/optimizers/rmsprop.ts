import type { OptimizerConfig } from '@lockstep/core';
import type { Kernels } from '../kernels.ts';
import type { Optimizer } from './optimizer.ts';

type RmspropConfig = Extract<OptimizerConfig, { kind: 'rmsprop' }>;

/** `torch.optim.RMSprop`, not centred. */
export function createRmsprop({ alpha, epsilon, l2, momentum }: RmspropConfig, kernels: Kernels, length: number): Optimizer {
  const square = kernels.allocateZeros(length);
  const squareSlot = { name: 'square_avg', vector: square };
  if (momentum === 0) {
    return {
      slots: [squareSlot],
      step: (parameters, gradient, learningRate) => kernels.stepRmsprop(parameters, gradient, square, { learningRate, l2, alpha, epsilon }),
    };
  }
  const velocity = kernels.allocateZeros(length);
  return {
    slots: [squareSlot, { name: 'momentum_buffer', vector: velocity }],
    step: (parameters, gradient, learningRate) =>
      kernels.stepRmspropMomentum(parameters, gradient, square, velocity, { learningRate, l2, alpha, epsilon, momentum }),
  };
}
