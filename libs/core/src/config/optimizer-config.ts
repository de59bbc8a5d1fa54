import { z } from 'zod';

const rate = z.number().min(0).finite();
const beta = z.number().min(0).lt(1);

const baseSchedule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), rate }),
  /** `rate * factor^floor(step / everySteps)` */
  z.strictObject({ kind: z.literal('step'), rate, factor: z.number().positive(), everySteps: z.int().positive() }),
  /** `rate * factor^(step / everySteps)` */
  z.strictObject({ kind: z.literal('exponential'), rate, factor: z.number().positive(), everySteps: z.int().positive() }),
  /** From `rate` to `finalRate` along half a cosine, over `steps` steps; null: over the run (after warm-up). */
  z.strictObject({ kind: z.literal('cosine'), rate, finalRate: rate.default(0), steps: z.int().positive().nullable().default(null) }),
]);

export const scheduleSchema = z.strictObject({
  base: baseSchedule,
  /** Steps of linear warm-up before the base schedule starts; the first step has `rate / warmupSteps`. */
  warmupSteps: z.int().min(0).default(0),
});

const learningRate = (initial: number) =>
  z.union([rate.transform((value) => ({ base: { kind: 'constant' as const, rate: value }, warmupSteps: 0 })), scheduleSchema])
    .default({ base: { kind: 'constant', rate: initial }, warmupSteps: 0 });

const shared = {
  /** L2: `weightDecay * parameter` is added to the gradient (PyTorch's `weight_decay` of SGD, Adam, RMSprop). */
  l2: rate.default(0),
};

/** Formulas and defaults are PyTorch's (`torch.optim`). */
export const optimizerSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sgd'), learningRate: learningRate(0.01), momentum: beta.default(0), nesterov: z.boolean().default(false), ...shared,
  }).refine(({ momentum, nesterov }) => momentum > 0 || !nesterov, { path: ['nesterov'], error: 'needs a momentum above 0' }),
  z.strictObject({
    kind: z.literal('adam'), learningRate: learningRate(1e-3), beta1: beta.default(0.9), beta2: beta.default(0.999), epsilon: z.number().positive().default(1e-8), ...shared,
  }),
  z.strictObject({
    kind: z.literal('adamw'), learningRate: learningRate(1e-3), beta1: beta.default(0.9), beta2: beta.default(0.999), epsilon: z.number().positive().default(1e-8),
    /** Decoupled: the parameter shrinks by `learningRate * weightDecay` before the step. */
    weightDecay: rate.default(0.01),
  }),
  z.strictObject({
    kind: z.literal('rmsprop'), learningRate: learningRate(0.01), alpha: beta.default(0.99), epsilon: z.number().positive().default(1e-8), momentum: beta.default(0), ...shared,
  }),
]);

export const clippingSchema = z.strictObject({
  /** Each element of the mean gradient to `[-value, value]`. */
  value: z.number().positive().nullable().default(null),
  /** The whole mean gradient to this L2 norm (PyTorch's `clip_grad_norm_`). */
  globalNorm: z.number().positive().nullable().default(null),
});

export type ScheduleConfig = z.output<typeof scheduleSchema>;
export type ScheduleOptions = z.input<typeof scheduleSchema>;
export type OptimizerConfig = z.output<typeof optimizerSchema>;
export type OptimizerOptions = z.input<typeof optimizerSchema>;
export type ClippingConfig = z.output<typeof clippingSchema>;
