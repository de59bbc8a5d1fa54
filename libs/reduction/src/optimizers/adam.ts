import type { OptimizerConfig } from '@lockstep/core';
import type { Kernels } from '../kernels.ts';
import { integerPower } from './integer-power.ts';
import type { Vector } from '../vector.ts';
import type { Optimizer } from './optimizer.ts';

type AdamConfig = Extract<OptimizerConfig, { kind: 'adam' | 'adamw' }>;

/** `torch.optim.Adam` with L2 in the gradient, or `torch.optim.AdamW` with decoupled decay. */
export function createAdam(config: AdamConfig, kernels: Kernels, length: number): Optimizer {
  const { beta1, beta2 } = config;
  const l2 = config.kind === 'adam' ? config.l2 : 0;
  const decay = config.kind === 'adamw' ? config.weightDecay : 0;
  const mean = kernels.allocateZeros(length);
  const variance = kernels.allocateZeros(length);
  return {
    slots: [{ name: 'exp_avg', vector: mean }, { name: 'exp_avg_sq', vector: variance }],
    step(parameters, gradient, learningRate, update, from = 0) {
      const part = (slot: Vector): Vector => kernels.slice(slot, from, from + gradient.length);
      const { stepSize, epsilon } = correctBias(config, learningRate, update);
      kernels.stepAdam(parameters, gradient, part(mean), part(variance), { stepSize, epsilon, beta1, beta2, l2, shrink: 1 - learningRate * decay });
    },
  };
}

/**
 * PyTorch's `rate / c1 * m / (sqrt(v) / sqrt(c2) + epsilon)`, where `c = 1 - beta^update`, with `sqrt(c2)` multiplied
 * into both scalars: one division less an element.
 */
function correctBias({ beta1, beta2, epsilon }: AdamConfig, learningRate: number, update: number): { stepSize: number; epsilon: number } {
  const root = Math.sqrt(1 - integerPower(beta2, update));
  return { stepSize: (learningRate * root) / (1 - integerPower(beta1, update)), epsilon: epsilon * root };
}
