import assert from 'node:assert/strict';
import type { KernelExports } from './kernel-module.ts';
import type { Vector } from './vector.ts';

export interface SgdScalars {
  readonly learningRate: number;
  readonly l2: number;
}

export interface MomentumScalars extends SgdScalars {
  readonly momentum: number;
  readonly nesterov: boolean;
}

/** `epsilon` is added to the root of the uncorrected variance; `shrink` multiplies the parameters first. */
export interface AdamScalars {
  readonly stepSize: number;
  readonly epsilon: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly l2: number;
  readonly shrink: number;
}

export interface RmspropScalars extends SgdScalars {
  readonly alpha: number;
  readonly epsilon: number;
}

/** One optimizer update of each element on its own; vectors have equal lengths, scalars are rounded to float32. */
export interface OptimizerKernels {
  /** `p -= learningRate * (g + l2 * p)` */
  stepSgd(parameters: Vector, gradient: Vector, scalars: SgdScalars): void;
  /** `g' = g + l2 * p; u = momentum * u + g'; p -= learningRate * (nesterov ? g' + momentum * u : u)` */
  stepMomentum(parameters: Vector, gradient: Vector, velocity: Vector, scalars: MomentumScalars): void;
  /** `p *= shrink; g' = g + l2 * p; m += (1 - beta1)(g' - m); v = beta2 v + (1 - beta2) g'^2; p -= stepSize * m / (sqrt(v) + epsilon)` */
  stepAdam(parameters: Vector, gradient: Vector, mean: Vector, variance: Vector, scalars: AdamScalars): void;
  /** `g' = g + l2 * p; s = alpha s + (1 - alpha) g'^2; p -= learningRate * g' / (sqrt(s) + epsilon)` */
  stepRmsprop(parameters: Vector, gradient: Vector, square: Vector, scalars: RmspropScalars): void;
  /** As `stepRmsprop`, with `u = momentum * u + g' / (sqrt(s) + epsilon); p -= learningRate * u`. */
  stepRmspropMomentum(
    parameters: Vector, gradient: Vector, square: Vector, velocity: Vector, scalars: RmspropScalars & { readonly momentum: number },
  ): void;
}

export function createOptimizerKernels(kernels: KernelExports): OptimizerKernels {
  return {
    stepSgd(parameters, gradient, { learningRate, l2 }) {
      const bytes = commonBytes(parameters, gradient);
      kernels.sgd(parameters.byteOffset, gradient.byteOffset, bytes, learningRate, l2);
    },
    stepMomentum(parameters, gradient, velocity, { learningRate, l2, momentum, nesterov }) {
      const bytes = commonBytes(parameters, gradient, velocity);
      const step = nesterov ? kernels.nesterov : kernels.momentum;
      step(parameters.byteOffset, gradient.byteOffset, velocity.byteOffset, bytes, learningRate, l2, momentum);
    },
    stepAdam(parameters, gradient, mean, variance, { stepSize, epsilon, beta1, beta2, l2, shrink }) {
      const bytes = commonBytes(parameters, gradient, mean, variance);
      kernels.adam(
        parameters.byteOffset, gradient.byteOffset, mean.byteOffset, variance.byteOffset, bytes,
        stepSize, epsilon, 1 - beta1, beta2, 1 - beta2, l2, shrink,
      );
    },
    stepRmsprop(parameters, gradient, square, { learningRate, l2, alpha, epsilon }) {
      const bytes = commonBytes(parameters, gradient, square);
      kernels.rmsprop(parameters.byteOffset, gradient.byteOffset, square.byteOffset, bytes, learningRate, alpha, 1 - alpha, epsilon, l2);
    },
    stepRmspropMomentum(parameters, gradient, square, velocity, { learningRate, l2, alpha, epsilon, momentum }) {
      const bytes = commonBytes(parameters, gradient, square, velocity);
      kernels.rmspropMomentum(
        parameters.byteOffset, gradient.byteOffset, square.byteOffset, velocity.byteOffset, bytes,
        learningRate, alpha, 1 - alpha, epsilon, l2, momentum,
      );
    },
  };
}

function commonBytes(first: Vector, ...others: readonly Vector[]): number {
  for (const other of others) assert.equal(other.length, first.length);
  return first.data.byteLength;
}
