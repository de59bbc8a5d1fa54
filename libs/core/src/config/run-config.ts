import { z } from 'zod';
import { dataSchema } from './data-config.ts';
import { layerRatesSchema } from './layer-rates.ts';
import { lossSchema, modelSchema } from './model-config.ts';
import { clippingSchema, optimizerSchema } from './optimizer-config.ts';
import { taskMistakes } from './task-checks.ts';
import { isPowerOfTwo, parameterWireSchema, wireSchema } from './wire-config.ts';

export const numericsSchema = z.strictObject({
  /** Which engine: `auto` is the native one set up on the machine (a GPU where there is one), never JavaScript. */
  engine: z.enum(['auto', 'cpu', 'gpu', 'javascript']).default('auto'),
  intraOpThreads: z.int().min(1).max(256).default(1),
  oneDnn: z.boolean().default(true),
  /** The strongest instruction set to use; `auto`: the strongest that every worker has. */
  instructionSet: z.enum(['auto', 'SSE41', 'AVX', 'AVX2', 'AVX512_CORE']).default('auto'),
  deterministicOps: z.boolean().default(true),
});

const earlyStoppingSchema = z.strictObject({
  /** Epochs without a better validation loss after which training stops. */
  patience: z.int().min(1).default(3),
  minDelta: z.number().min(0).default(0),
});

const checkpointsSchema = z.strictObject({
  /** Besides those below: at every multiple of so many steps; null: at none. */
  everySteps: z.int().min(1).nullable().default(null),
  /** So many minutes after the last one; null: never. */
  everyMinutes: z.number().positive().nullable().default(5),
  /** At each epoch's end. */
  everyEpoch: z.boolean().default(true),
  /** How many of the newest are kept; that of the best epoch is kept besides where `keepBest` needs it. */
  keepLast: z.int().min(1).default(3),
});

/** Whose processes host shards: the coordinator's, the workers', `lockstep parameter-server`'s. */
const SHARD_HOSTS = ['coordinator', 'workers', 'servers'] as const;

/** A whole run, each default where it is declared. Options (input) are what a person writes, the config (output) is complete. */
export const runSchema = z.strictObject({
  data: dataSchema.prefault({}),
  model: modelSchema.default({ kind: 'cnn', dropout: 0 }),
  loss: lossSchema.prefault({ kind: 'crossEntropy' }),
  /** Where nothing is said of the optimizer: Adam, warmed up over 100 steps to 0.002, then along a cosine to 0 over the run. */
  optimizer: optimizerSchema.prefault({ kind: 'adam', learningRate: { base: { kind: 'cosine', rate: 2e-3 }, warmupSteps: 100 } }),
  clipping: clippingSchema.prefault({}),
  /** Tensors that step at another rate than the schedule's, by name. */
  layerRates: layerRatesSchema,
  /** Samples of one optimizer step, over all workers. */
  globalBatchSize: z.int().min(1).default(256),
  /** V, a power of two: the fixed parts of a global batch; at most so many workers have work in a step. */
  microBatches: z.int().min(1).max(65536).refine(isPowerOfTwo, 'a power of two').default(8),
  epochs: z.int().min(1).default(5),
  /** Stop after this many steps, whatever the epochs; null: no such limit. */
  maxSteps: z.int().min(1).nullable().default(null),
  seed: z.int().min(0).default(42),
  /**
   * A run's directory, or its `model.safetensors`, whose tensors of the same name and shape are the initial values, frozen ones too;
   * null: those of the model. Every worker reads it.
   */
  initFrom: z.string().min(1).nullable().default(null),
  /** Parameter server shards; null: one a host that is there when the run starts. */
  shards: z.int().min(1).max(256).nullable().default(null),
  /** Which processes host the shards, dealt out in turn over all that are there. */
  shardHosts: z.array(z.enum(SHARD_HOSTS)).min(1).default(['coordinator']),
  /** Copies of each shard on another host, which take over without a lost step. */
  replicas: z.int().min(0).max(1).default(0),
  checkpoints: checkpointsSchema.prefault({}),
  /** A loss or gradient that is no number stops the run, or its step changes nothing. */
  onNonFinite: z.enum(['stop', 'skip']).default('stop'),
  /** How gradients travel in fewer bytes: rounded, in each sum, or compressed, with what is held back added to the next. */
  wire: wireSchema,
  /** What the parameters are rounded to where workers see them. */
  parameterWire: parameterWireSchema,
  /** A step that takes so many times as long as usual has its missing parts computed by idle workers too; null: never. */
  backupAfter: z.number().min(1).nullable().default(3),
  earlyStopping: earlyStoppingSchema.nullable().default(null),
  /** End with the weights of the epoch of least validation loss (needs a validation split). */
  keepBest: z.boolean().default(false),
  numerics: numericsSchema.prefault({}),
  /** Silence after which a worker counts as lost, in milliseconds; every other deadline derives from it. */
  failureDetectionMs: z.int().min(100).default(2000),
  /** A receipt carries the parameters' SHA-256 every so many steps (and always at an epoch's end). */
  receiptHashEverySteps: z.int().min(0).default(0),
}).superRefine((run, context) => {
  if (run.microBatches > run.globalBatchSize) {
    context.addIssue({ code: 'custom', path: ['microBatches'], message: `at most globalBatchSize (${run.globalBatchSize})`, input: run.microBatches });
  }
  if ((run.earlyStopping !== null || run.keepBest) && run.data.validation === 0) {
    context.addIssue({ code: 'custom', path: ['data', 'validation'], message: 'above 0 where earlyStopping or keepBest is set', input: run.data.validation });
  }
  for (const mistake of taskMistakes(run)) context.addIssue({ ...mistake, path: [...mistake.path], code: 'custom' });
  if (typeof run.wire === 'string') return;
  if ((run.wire.groups ?? 1) > run.microBatches) {
    context.addIssue({ code: 'custom', path: ['wire', 'groups'], message: `at most microBatches (${run.microBatches})`, input: run.wire.groups });
  }
  // What is held back between is in no checkpoint.
  if (run.checkpoints.everySteps !== null && run.checkpoints.everySteps % run.wire.denseEvery !== 0) {
    context.addIssue({ code: 'custom', path: ['checkpoints', 'everySteps'], message: `a multiple of wire.denseEvery (${run.wire.denseEvery})`, input: run.checkpoints.everySteps });
  }
});

/** The fields that a resumed run may change: they shape the cluster, not the result. */
export const CLUSTER_FIELDS = ['shards', 'shardHosts', 'replicas', 'checkpoints', 'backupAfter', 'failureDetectionMs'] as const;

export type ShardHostKind = (typeof SHARD_HOSTS)[number];
export type RunOptions = z.input<typeof runSchema>;
export type RunConfig = z.output<typeof runSchema>;
export type NumericsConfig = RunConfig['numerics'];
