import type { OptimizerConfig } from '@lockstep/core';
import type { Kernels } from '../kernels.ts';
import type { Vector } from '../vector.ts';
import type { Optimizer } from './optimizer.ts';

type RmspropConfig = Extract<OptimizerConfig, { kind: 'rmsprop' }>;

/** `torch.optim.RMSprop`, not centred. */
export function createRmsprop({ alpha, epsilon, l2, momentum }: RmspropConfig, kernels: Kernels, length: number): Optimizer {
  const square = kernels.allocateZeros(length);
  const squareSlot = { name: 'square_avg', vector: square };
  const part = (slot: Vector, from: number, { length: count }: Vector): Vector => kernels.slice(slot, from, from + count);
  if (momentum === 0) {
    return {
      slots: [squareSlot],
      step: (parameters, gradient, learningRate, _update, from = 0) => kernels.stepRmsprop(parameters, gradient, part(square, from, gradient), { learningRate, l2, alpha, epsilon }),
    };
  }
  const velocity = kernels.allocateZeros(length);
  return {
    slots: [squareSlot, { name: 'momentum_buffer', vector: velocity }],
    step: (parameters, gradient, learningRate, _update, from = 0) =>
      kernels.stepRmspropMomentum(parameters, gradient, part(square, from, gradient), part(velocity, from, gradient), { learningRate, l2, alpha, epsilon, momentum }),
  };
}
