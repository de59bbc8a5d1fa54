import type { TensorSource, TransformerArchitecture } from '@lockstep/core';
import type { EncoderArchitecture } from './encoder-architecture.ts';

/** A file that a model's tensors come from. */
export interface SourceFile {
  readonly path: string;
  /** Of the whole file, which is read for it, as 64 hexadecimal digits. */
  sha256(): Promise<string>;
}

interface Pretrained {
  /** Named and oriented as `decoderTensors` and `encoderTensors` say, whatever the files have. */
  readonly tensors: TensorSource;
  /** `tokenizer.json` of the model's folder; null where it has none, as a GGUF file, whose tokenizer `exportGgufTokenizer` writes out. */
  readonly tokenizerPath: string | null;
  readonly source: { readonly files: readonly SourceFile[] };
}

export type PretrainedModel =
  | (Pretrained & { readonly kind: 'decoder'; readonly architecture: TransformerArchitecture })
  | (Pretrained & { readonly kind: 'encoder'; readonly architecture: EncoderArchitecture });
