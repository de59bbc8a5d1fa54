import { z } from 'zod';

/**
 * What a backbone reads: `bytes` is 0..255, `unit` 0..1, `signed` -1..1, `caffe` BGR from 0..255 less the mean colour of
 * ImageNet. From what the data gives (`data.scale`) to it leads a fixed first layer of the model.
 */
const expects = z.enum(['bytes', 'unit', 'signed', 'caffe']);

const transferFields = {
  /** The layer whose output the head reads; null: the last that gives an image. */
  cutAt: z.string().min(1).nullable().default(null),
  /** Global average pooling and a dense layer of one value a class. */
  top: z.enum(['pooled']).default('pooled'),
  /** Before the dense layer of the head. */
  dropout: z.number().min(0).lt(1).default(0),
  /** What trains: the head, everything, or the head and the layers of these names, in which `*` stands for any characters. */
  trainable: z.union([z.enum(['head', 'all']), z.array(z.string().min(1)).min(1)]).default('head'),
};

/** The `model.json` of a TensorFlow.js LayersModel with the backbone's layers, or null: initial values by the seed. */
const optionalWeights = z.string().min(1).nullable().default(null);

/** Image models of Keras Applications, or any saved LayersModel, without their classifier and with a head of the run's classes. */
export const backboneSchemas = [
  z.strictObject({
    kind: z.literal('mobilenetV2'), weights: optionalWeights, expects: expects.default('signed'),
    /** The width: every layer has so many times its channels. */
    alpha: z.number().positive().max(4).default(1), ...transferFields,
  }),
  z.strictObject({ kind: z.literal('vgg16'), weights: optionalWeights, expects: expects.default('caffe'), ...transferFields }),
  z.strictObject({ kind: z.literal('resnet50'), weights: optionalWeights, expects: expects.default('caffe'), ...transferFields }),
  z.strictObject({ kind: z.literal('layersModel'), weights: z.string().min(1), expects, ...transferFields }),
] as const;

export type BackboneConfig = z.output<(typeof backboneSchemas)[number]>;

const BACKBONE_KINDS: readonly string[] = backboneSchemas.map(({ shape }) => shape.kind.value);

/** Whether a model is a backbone with a head. */
export function isBackbone(model: { readonly kind: string }): model is BackboneConfig {
  return BACKBONE_KINDS.includes(model.kind);
}
