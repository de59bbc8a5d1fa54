import { LockstepError } from '@lockstep/core';
import type { Tf } from '@lockstep/engine';
import type { io, LayersModel, NamedTensorMap } from '@tensorflow/tfjs';
import { savedLayerNames } from './saved-topology.ts';

/** A LayersModel as its file holds it; weights may be quantized. */
export interface SavedLayers {
  /** Absolute. */
  readonly path: string;
  readonly topology: object;
  readonly weightSpecs: io.WeightsManifestEntry[];
  readonly weightData: ArrayBuffer;
}

/**
 * Gives `backbone`, a model up to its layer `cut`, the weights of the same names in the file. What the file has of other layers is of its classifier where
 * they come after `cut`, and extra where they come before it.
 * @param known The names of all layers of the backbone, those after `cut` too.
 * @throws LockstepError `config` listing the tensors that are missing, of another shape or extra.
 */
export function loadBackboneWeights(tf: Tf, backbone: LayersModel, saved: SavedLayers, cut: string, known: ReadonlySet<string>): void {
  requireFit(backbone, saved, extraTensors(saved, cut, known));
  const tensors = decode(tf, saved);
  for (const weight of backbone.weights) weight.write(tensors[weight.originalName]!);
  tf.dispose(tensors);
}

function requireFit(backbone: LayersModel, { path, weightSpecs }: SavedLayers, extra: readonly string[]): void {
  const shapes = new Map(weightSpecs.map(({ name, shape }) => [name, `[${shape.join(', ')}]`]));
  const wanted = backbone.weights.map(({ originalName, shape }) => ({ name: originalName, shape: `[${shape.join(', ')}]` }));
  const missing = wanted.filter(({ name }) => !shapes.has(name));
  const misshapen = wanted.filter(({ name, shape }) => shapes.has(name) && shapes.get(name) !== shape);
  const mistakes = [
    ...missing.map(({ name, shape }) => `${name} of shape ${shape} is missing`),
    ...misshapen.map(({ name, shape }) => `${name} has shape ${shapes.get(name)}, expected ${shape}`),
    ...extra.map((name) => `${name} is in no layer of the backbone`),
  ];
  if (mistakes.length === 0) return;
  throw new LockstepError('config', `model.weights: ${path} does not fit the backbone in ${mistakes.length} of its tensors: ${mistakes.join('; ')}`, {
    hint: 'model.kind and model.alpha must be those that the file was saved from; kind layersModel takes whatever the file describes',
  });
}

function decode(tf: Tf, { weightData, weightSpecs, path }: SavedLayers): NamedTensorMap {
  try {
    return tf.io.decodeWeights(weightData, weightSpecs);
  } catch (cause) {
    throw new LockstepError('config', `model.weights: ${path}: its weights cannot be read`, { cause });
  }
}

function extraTensors({ topology, weightSpecs }: SavedLayers, cut: string, known: ReadonlySet<string>): readonly string[] {
  const layers = savedLayerNames(topology);
  const classifier = new Set(layers.includes(cut) ? layers.slice(layers.indexOf(cut) + 1) : []);
  return weightSpecs.map(({ name }) => name).filter((name) => !known.has(layerOf(name)) && !classifier.has(layerOf(name)));
}

/** `Conv1` of `Conv1/kernel`. */
function layerOf(weightName: string): string {
  return weightName.split('/').at(-2) ?? weightName;
}
