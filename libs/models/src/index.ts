export { buildModel, type BuildModel, type BuildOptions } from './build-model.ts';
export { transformerLayers } from './transformer-layers.ts';
