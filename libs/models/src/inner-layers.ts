import type { LayersModel } from '@tensorflow/tfjs';

type Layer = LayersModel['layers'][number];

/** The layers of a model in its order, those of models within it in their place. */
export function innerLayers(model: LayersModel): readonly Layer[] {
  return model.layers.flatMap((layer) => ('layers' in layer ? innerLayers(layer as unknown as LayersModel) : [layer]));
}
