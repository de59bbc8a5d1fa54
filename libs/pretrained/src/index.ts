export { writeNsfwjsModel } from './nsfwjs-model.ts';
export { decoderTensors } from './decoder-tensors.ts';
export type { EncoderArchitecture } from './encoder-architecture.ts';
export { encoderTensors } from './encoder-tensors.ts';
export { openPretrained } from './open-pretrained.ts';
export type { PretrainedModel, SourceFile } from './pretrained-model.ts';
export { exportGgufTokenizer } from './tokenizer/export-gguf-tokenizer.ts';
