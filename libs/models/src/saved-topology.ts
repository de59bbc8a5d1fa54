/** The topology of a `model.json`, by Keras' converter (`model_config`) or by TensorFlow.js. */
interface TopologyNode {
  readonly model_config?: TopologyNode;
  readonly config?: TopologyNode;
  readonly layers?: readonly TopologyNode[];
  readonly name?: string;
}

/** The names of a saved model's layers in its order, those of models within it in their place. */
export function savedLayerNames(topology: unknown): readonly string[] {
  const node = topology as TopologyNode;
  const { config } = node.model_config ?? node;
  const layers = Array.isArray(config) ? (config as readonly TopologyNode[]) : config?.layers;
  return layers === undefined ? [config?.name ?? node.name ?? ''] : layers.flatMap(savedLayerNames);
}

/** The topology with images of another size as its input, which convolutions do not mind. */
export function withInputShape(topology: object, shape: readonly number[]): object {
  return JSON.parse(JSON.stringify(topology), (key, value: unknown) =>
    key === 'batch_input_shape' && Array.isArray(value) && value.length === shape.length + 1 ? [null, ...shape] : value) as object;
}
