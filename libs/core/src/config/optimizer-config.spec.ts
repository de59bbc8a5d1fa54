import { describe, expect, it } from 'vitest';
import { optimizerSchema } from './optimizer-config.ts';

describe('the optimizer of a config', () => {
  it('has the defaults of PyTorch', () => {
    expect(optimizerSchema.parse({ kind: 'adamw', learningRate: 0.1 })).toEqual({
      kind: 'adamw', learningRate: { base: { kind: 'constant', rate: 0.1 }, warmupSteps: 0 }, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01,
    });
  });

  it('refuses Nesterov without momentum, as PyTorch does', () => {
    const { error } = optimizerSchema.safeParse({ kind: 'sgd', nesterov: true });
    expect(error?.issues).toMatchObject([{ path: ['nesterov'], message: expect.stringContaining('momentum') as string }]);
    expect(optimizerSchema.safeParse({ kind: 'sgd', nesterov: true, momentum: 0.9 }).success).toBe(true);
  });
});
