import type { OptimizerOptions } from '@lockstep/core';

type OptionsOf<Kind extends OptimizerOptions['kind']> = Omit<Extract<OptimizerOptions, { kind: Kind }>, 'kind'>;

/** Stochastic gradient descent. */
export function sgd(options: Omit<OptionsOf<'sgd'>, 'momentum' | 'nesterov'> = {}): OptimizerOptions {
  return { kind: 'sgd', ...options };
}

/** SGD with momentum, 0.9 by default. */
export function momentum(options: Omit<OptionsOf<'sgd'>, 'nesterov'> = {}): OptimizerOptions {
  return { kind: 'sgd', momentum: 0.9, ...options };
}

/** SGD with Nesterov's momentum, 0.9 by default. */
export function nesterov(options: Omit<OptionsOf<'sgd'>, 'nesterov'> = {}): OptimizerOptions {
  return { kind: 'sgd', momentum: 0.9, nesterov: true, ...options };
}

export function adam(options: OptionsOf<'adam'> = {}): OptimizerOptions {
  return { kind: 'adam', ...options };
}

/** Adam with decoupled weight decay. */
export function adamw(options: OptionsOf<'adamw'> = {}): OptimizerOptions {
  return { kind: 'adamw', ...options };
}

export function rmsprop(options: OptionsOf<'rmsprop'> = {}): OptimizerOptions {
  return { kind: 'rmsprop', ...options };
}
