import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs';
import type { Engine } from '../engine.ts';
import { nativeBackendOf, OpAttributes } from '../native-backend.ts';
import { activationStage, isChainActivation } from './activation-stage.ts';
import { convolutionStage } from './convolution-stage.ts';
import { denseStage, type WeightIndices } from './dense-stage.ts';
import { dropoutStage } from './dropout-stage.ts';
import { averagePoolingStage, maxPoolingStage, type Window } from './pooling-stage.ts';
import { reshapeStage } from './reshape-stage.ts';
import type { Stage } from './stage.ts';

/** A Sequential model as stages on TensorFlow's ops. */
export interface Chain {
  /** The shape in which a sample enters the first stage. */
  readonly inputShape: readonly number[];
  readonly stages: readonly Stage[];
  /** The first stage with parameters: the backward pass ends there. */
  readonly firstTrainable: number;
}

type Layer = LayersModel['layers'][number];
type Config = Record<string, unknown>;

/** What the compiler knows of a layer. */
interface LayerFacts {
  readonly kind: string;
  readonly config: Config;
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  readonly weights: WeightIndices;
}

/** The chain of a model, or null where the model has anything that chains do not do: TensorFlow.js then runs it. */
export function compileChain(engine: Engine, model: LayersModel): Chain | null {
  const backend = nativeBackendOf(engine);
  if (backend === null || !(model instanceof engine.tf.Sequential) || model.nonTrainableWeights.length > 0 || model.layers.some(isShared)) return null;
  const layers = model.layers.map((layer) => factsOf(layer, model)).filter(({ kind }) => kind !== 'InputLayer');
  if (!layers.every(isChainLayer)) return null;
  const leadingReshapes = layers.findIndex(({ kind }) => !isReshape(kind));
  const inputShape = layers[Math.max(0, leadingReshapes)]!.inputShape;
  const stages = stagesOf(layers.slice(Math.max(0, leadingReshapes)), new OpAttributes(backend), engine.oneDnnKernels);
  const firstTrainable = stages.findIndex(({ trainable }) => trainable);
  return firstTrainable < 0 ? null : { inputShape, stages: stages.map(({ stage }) => stage), firstTrainable };
}

/** A layer used in more than one place. */
function isShared(layer: Layer): boolean {
  return layer.inboundNodes.length > 1;
}

function factsOf(layer: Layer, model: LayersModel): LayerFacts {
  const [kernel, bias] = layer.trainableWeights.map((weight) => model.trainableWeights.indexOf(weight));
  return {
    kind: layer.getClassName(),
    config: layer.getConfig(),
    inputShape: (layer.input as SymbolicTensor).shape.slice(1).map(Number),
    outputShape: (layer.outputShape as number[]).slice(1),
    weights: { kernel: kernel ?? -1, bias: bias ?? null },
  };
}

const isReshape = (kind: string): boolean => kind === 'Flatten' || kind === 'Reshape';

/** Whether chains do this layer with these options. */
function isChainLayer({ kind, config }: LayerFacts): boolean {
  const activation = config['activation'];
  const knownActivation = activation === 'linear' || isChainActivation(activation);
  const plain = ['kernelRegularizer', 'biasRegularizer', 'activityRegularizer'].every((name) => config[name] === undefined || config[name] === null);
  switch (kind) {
    case 'Dense': return knownActivation && plain;
    case 'Conv2D': return knownActivation && plain && !isStridedPointwise(config) && config['dataFormat'] === 'channelsLast' && [config['dilationRate']].flat().every((rate) => rate === 1);
    case 'MaxPooling2D':
    case 'AveragePooling2D': return config['dataFormat'] === 'channelsLast';
    case 'Activation': return knownActivation;
    case 'Dropout': return config['noiseShape'] === undefined || config['noiseShape'] === null;
    default: return isReshape(kind);
  }
}

/** Its filter gradient needs care (`pointwiseFilterGradient`). */
function isStridedPointwise({ kernelSize, strides }: Config): boolean {
  return [kernelSize].flat().every((size) => size === 1) && [strides].flat().some((stride) => stride !== 1);
}

interface CompiledStage {
  readonly stage: Stage;
  readonly trainable: boolean;
}

/**
 * Where ReLU is followed by max-pooling, the pooling goes first: both are monotone, so the result is the same bits,
 * and ReLU has a quarter of the work.
 */
function stagesOf(layers: readonly LayerFacts[], attribute: OpAttributes, oneDnn: boolean): CompiledStage[] {
  const stages: CompiledStage[] = [];
  const activate = (name: unknown): void => { if (isChainActivation(name)) stages.push({ stage: activationStage(attribute, name), trainable: false }); };
  let draws = 0;
  for (let index = 0; index < layers.length; index++) {
    const layer = layers[index]!;
    const { kind, config, inputShape, outputShape, weights } = layer;
    if (kind === 'Dense') {
      if (inputShape.length !== 1) stages.push({ stage: reshapeStage(attribute, inputShape, [inputShape.at(-1)!]), trainable: false });
      stages.push({ stage: denseStage(attribute, weights), trainable: true });
      activate(config['activation']);
    } else if (kind === 'Conv2D') {
      const next = layers[index + 1];
      const pooled = next?.kind === 'MaxPooling2D' && ['relu', 'linear'].includes(config['activation'] as string);
      if (pooled) index++;
      const after = pooled ? maxPoolingStage(attribute, windowOf(next.config), oneDnn) : null;
      stages.push({ stage: convolutionStage(attribute, convolutionOf(layer), after, oneDnn), trainable: true });
      activate(config['activation']);
    } else if (kind === 'MaxPooling2D') stages.push({ stage: maxPoolingStage(attribute, windowOf(config), oneDnn), trainable: false });
    else if (kind === 'AveragePooling2D') stages.push({ stage: averagePoolingStage(attribute, windowOf(config), inputShape), trainable: false });
    else if (kind === 'Activation') activate(config['activation']);
    else if (kind === 'Dropout') {
      const rate = config['rate'] as number;
      if (rate > 0) stages.push({ stage: dropoutStage(attribute, rate, inputShape, draws++), trainable: false });
    } else stages.push({ stage: reshapeStage(attribute, inputShape, outputShape), trainable: false });
  }
  return stages;
}

const paddingOf = (config: Config): 'SAME' | 'VALID' => (config['padding'] === 'same' ? 'SAME' : 'VALID');

function windowOf(config: Config): Window {
  return { poolSize: config['poolSize'] as [number, number], strides: config['strides'] as [number, number], padding: paddingOf(config) };
}

function convolutionOf({ config, inputShape, weights }: LayerFacts) {
  return {
    ...weights,
    kernelShape: [...(config['kernelSize'] as number[]), inputShape[2]!, config['filters'] as number],
    inputShape,
    strides: config['strides'] as [number, number],
    padding: paddingOf(config),
  };
}
