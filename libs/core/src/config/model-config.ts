import { z } from 'zod';
import { backboneSchemas } from './backbone-config.ts';
import { loraSchema, transformerSchema } from './transformer-config.ts';

export const ZOO_MODELS = ['mlp', 'cnn', 'cnn-small', 'lenet', 'rnn', 'resnet', 'vit', 'mobilenetV2', 'vgg16', 'resnet50'] as const;
export type ZooModel = (typeof ZOO_MODELS)[number];

const activation = z.enum(['relu', 'tanh', 'sigmoid', 'elu']);
const dropout = z.number().min(0).lt(1).default(0);

/** A model of the zoo with its options, or the config file's own function (`custom`), which only its bundle holds. */
export const modelSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('mlp'), hidden: z.array(z.int().positive()).default([128]), activation: activation.default('relu'), dropout }),
  z.strictObject({ kind: z.literal('cnn'), dropout }),
  z.strictObject({ kind: z.literal('cnn-small'), dropout }),
  z.strictObject({ kind: z.literal('lenet') }),
  z.strictObject({ kind: z.literal('rnn'), cell: z.enum(['lstm', 'gru']).default('lstm'), units: z.int().positive().default(64), dropout }),
  z.strictObject({ kind: z.literal('resnet'), blocks: z.int().min(1).max(18).default(3), width: z.int().positive().default(16) }),
  z.strictObject({
    kind: z.literal('vit'), patch: z.int().positive().default(7), width: z.int().positive().default(64), depth: z.int().positive().default(2),
    heads: z.int().positive().default(4), dropout,
  }),
  ...backboneSchemas,
  z.strictObject({ kind: z.literal('custom') }),
  transformerSchema,
  z.strictObject({
    kind: z.literal('pretrained'),
    /** A folder with `config.json` and safetensors, a GGUF file, or `asset:NAME`; every worker must see it. */
    path: z.string().min(1),
    lora: loraSchema.nullable().default(null),
    /** Names of tensors that train, with `*` for any part of one; null: all, or where there is `lora` its adapters alone. */
    trains: z.array(z.string().min(1)).nullable().default(null),
    dropout,
    /** Keep only each block's input and compute its inside again in the backward pass: less memory, a third more time. */
    recompute: z.boolean().default(false),
  }),
]);

export const lossSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('crossEntropy'),
    /** `sparse`: labels are class numbers; `oneHot`: labels are rows of a one-hot matrix. The values are the same. */
    labels: z.enum(['sparse', 'oneHot']).default('sparse'),
    /** The model's output is logits (true) or probabilities (false). */
    fromLogits: z.boolean().default(true),
    /** The target becomes `(1 - s) * oneHot + s / numClasses` (Keras). */
    labelSmoothing: z.number().min(0).lt(1).default(0),
  }),
  /** Mean over the outputs of the squared difference from the one-hot label (Keras's `mse`). */
  z.strictObject({ kind: z.literal('meanSquaredError') }),
]);

export type ModelConfig = z.output<typeof modelSchema>;
/** A model that predicts tokens. */
export type LanguageModelConfig = Extract<ModelConfig, { kind: 'transformer' | 'pretrained' }>;

export const isLanguageModel = (model: ModelConfig): model is LanguageModelConfig => model.kind === 'transformer' || model.kind === 'pretrained';

export type ModelOptions = z.input<typeof modelSchema>;
export type LossConfig = z.output<typeof lossSchema>;
export type LossOptions = z.input<typeof lossSchema>;
