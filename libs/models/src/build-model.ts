import { assertNever, deriveSeed, isBackbone, LockstepError, uniformStream, type BackboneConfig, type ModelConfig } from '@lockstep/core';
import type { Engine, Tf } from '@lockstep/engine';
import type { LayersModel } from '@tensorflow/tfjs';
import { buildCnn, buildCnnSmall, buildLenet } from './convolutional.ts';
import { buildMlp } from './mlp.ts';
import { buildResnet } from './resnet.ts';
import { buildRnn } from './rnn.ts';
import { buildTransfer, type BackboneSource } from './transfer.ts';
import { buildVit } from './vit.ts';

/** The config file's own model: any TensorFlow.js layers, giving one value a class. */
export type BuildModel = (tf: Tf) => LayersModel | Promise<LayersModel>;

export interface BuildOptions {
  /** `[height, width, channels]` */
  readonly sampleShape: readonly number[];
  readonly numClasses: number;
  readonly seed: number;
  /** The function of a config of kind `custom`. */
  readonly custom?: BuildModel;
  /** Of a config of a backbone. */
  readonly backbone?: BackboneSource;
}

/** What a zoo model is built for. */
export interface ModelShape {
  readonly sampleShape: readonly [height: number, width: number, channels: number];
  readonly numClasses: number;
}

/**
 * The model of a config, its initial values a pure function of the seed: TensorFlow.js seeds every unseeded
 * initializer from `Math.random`, which is a seeded stream while the model is built.
 * @throws LockstepError `config` when it is a model of tokens, the function of a custom model is missing or gives something else, or a backbone's weights do not fit.
 */
export function buildModel(engine: Engine, config: ModelConfig, options: BuildOptions): Promise<LayersModel> {
  const built = lastBuild.then(() => buildAlone(engine, config, options));
  lastBuild = built.catch(() => undefined);
  return built;
}

/** Builds follow one another: each has `Math.random` to itself. */
let lastBuild: Promise<unknown> = Promise.resolve();

async function buildAlone(engine: Engine, config: ModelConfig, options: BuildOptions): Promise<LayersModel> {
  const original = Math.random;
  Math.random = uniformStream(deriveSeed(options.seed, 'initialization'));
  try {
    const model = await buildOfKind(engine, config, options);
    if (!model.built) model.build([null, ...options.sampleShape]);
    return model;
  } finally {
    Math.random = original;
  }
}

async function buildOfKind(engine: Engine, config: ModelConfig, options: BuildOptions): Promise<LayersModel> {
  if (config.kind === 'custom') return buildCustom(engine, options);
  const shape = shapeOf(options);
  if (!isBackbone(config)) return buildOfZoo(engine.tf, config, shape);
  if (options.backbone === undefined) throw new Error(`a model of kind ${config.kind} is built from its backbone's source`);
  return buildTransfer(engine.tf, config, shape, options.backbone);
}

function buildOfZoo(tf: Tf, config: Exclude<ModelConfig, BackboneConfig | { kind: 'custom' }>, shape: ModelShape): LayersModel {
  switch (config.kind) {
    case 'mlp': return buildMlp(tf, config, shape);
    case 'cnn': return buildCnn(tf, config, shape);
    case 'cnn-small': return buildCnnSmall(tf, config, shape);
    case 'lenet': return buildLenet(tf, shape);
    case 'rnn': return buildRnn(tf, config, shape);
    case 'resnet': return buildResnet(tf, config, shape);
    case 'vit': return buildVit(tf, config, shape);
    case 'transformer':
    case 'pretrained': throw new LockstepError('config', `model: ${config.kind} predicts tokens, expected a model of images`);
    default: return assertNever(config);
  }
}

async function buildCustom({ tf }: Engine, { custom }: BuildOptions): Promise<LayersModel> {
  if (custom === undefined) throw new LockstepError('config', "model: kind 'custom', but the config has no function that builds the model");
  const model: unknown = await custom(tf);
  if (!(model instanceof tf.LayersModel)) throw new LockstepError('config', `model: the function gave ${model === null ? 'null' : typeof model}, expected a TensorFlow.js LayersModel`);
  return model;
}

function shapeOf({ sampleShape, numClasses }: BuildOptions): ModelShape {
  const [height, width, channels] = sampleShape;
  if (height === undefined || width === undefined || channels === undefined || sampleShape.length !== 3) {
    throw new LockstepError('config', `model: samples have shape [${sampleShape.join(', ')}], models of the zoo expect [height, width, channels]`);
  }
  return { sampleShape: [height, width, channels], numClasses };
}
