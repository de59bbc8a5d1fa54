import type { LayersModel } from '@tensorflow/tfjs';

/** What the walk over a model's layers needs: a wrapper has an inner `layer`, a model its `layers`, a recurrent layer its `cell`. */
export interface NamedLayer {
  readonly name: string;
  readonly trainable: boolean;
  getClassName(): string;
  getConfig(): Record<string, unknown>;
  call(inputs: unknown, options: object): unknown;
  readonly layers?: readonly NamedLayer[];
  readonly layer?: NamedLayer;
  readonly cell?: NamedLayer;
}

/**
 * TensorFlow.js numbers unnamed layers by a counter of the process (`dense_Dense7`). From each such name to the one
 * with the layer's number inside this model (`dense_Dense1`), the same in every process.
 */
export function stableNames(model: LayersModel): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const layer of layersOf(model as unknown as NamedLayer)) {
    const prefix = generatedPrefix(layer);
    if (prefix === null || names.has(layer.name)) continue;
    const count = (counts.get(prefix) ?? 0) + 1;
    counts.set(prefix, count);
    names.set(layer.name, `${prefix}${count}`);
  }
  return names;
}

/** A weight's name (`dense_Dense7/kernel`) with its layers' names stable. */
export function withStableNames(weightName: string, names: ReadonlyMap<string, string>): string {
  return weightName.split('/').map((part) => names.get(part) ?? part).join('/');
}

/** A model's topology (JSON) with its layers' names stable. */
export function topologyWithStableNames<Json>(topology: Json, names: ReadonlyMap<string, string>): Json {
  if (typeof topology === 'string') return (names.get(topology) ?? topology) as Json;
  if (Array.isArray(topology)) return topology.map((item: unknown) => topologyWithStableNames(item, names)) as Json;
  if (topology === null || typeof topology !== 'object') return topology;
  return Object.fromEntries(Object.entries(topology).map(([key, value]) => [key, topologyWithStableNames(value as unknown, names)])) as Json;
}

/** A model's layers with those inside them, outermost first. */
export function* layersOf(layer: NamedLayer): Generator<NamedLayer> {
  yield layer;
  for (const inner of [...(layer.layers ?? []), layer.layer, layer.cell]) if (inner !== undefined) yield* layersOf(inner);
}

/** `dense_Dense` of `dense_Dense7`, `sequential_` of `sequential_3`, `model` of `model2`; null for a name that a person gave. */
function generatedPrefix(layer: NamedLayer): string | null {
  const prefix = /^(.*\D)\d+$/.exec(layer.name)?.[1];
  if (prefix === undefined) return null;
  if (layer.layers !== undefined) return prefix === 'sequential_' || prefix === 'model' ? prefix : null;
  const className = layer.getClassName();
  return prefix.endsWith(`_${className}`) && lettersOf(prefix) === lettersOf(className + className) ? prefix : null;
}

function lettersOf(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}
