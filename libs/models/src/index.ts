export { buildModel, type BuildModel, type BuildOptions } from './build-model.ts';
export type { SavedLayers } from './backbone-weights.ts';
export type { PixelScale } from './pixel-layer.ts';
export type { BackboneSource } from './transfer.ts';
export { transformerLayers } from './transformer-layers.ts';
export type { ExportedTensor } from './transformer/exported-tensors.ts';
export { createGenerator, type Generator } from './transformer/generator.ts';
export { sampleToken, type SamplingOptions } from './transformer/sampler.ts';
export { createTransformer, type Transformer, type TransformerOptions } from './transformer/transformer.ts';
