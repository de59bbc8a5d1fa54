import type { LoraConfig, TransformerArchitecture } from '@lockstep/core';
import type { Engine, Kernels } from '@lockstep/engine';
import type { Tensor } from '@tensorflow/tfjs';
import type { GradientVector } from './gradient-vector.ts';
import type { KeyValueCache } from './key-value-cache.ts';
import type { RotaryTables } from './rotary.ts';
import type { TransformerWeights } from './transformer-weights.ts';

/** What one pass over a batch gives its stages. Activations are `[numRows * rowLength, width]`. */
export interface Pass {
  readonly numRows: number;
  readonly rowLength: number;
  /** What is added to attention's scores: `[numRows or 1, 1, rowLength, keys]`, 0 or far below it. */
  readonly mask: Tensor;
  /** Null where positions are learned. */
  readonly rotary: RotaryTables | null;
  /** The seed of all draws of dropout, or null in inference mode. */
  readonly dropoutSeed: number | null;
  /** Keys and values of the tokens before, in generation. */
  readonly cache: KeyValueCache | null;
}

/**
 * A part of the network with its gradient by hand: there is no tape, so what is kept for the backward pass is what `saved` names, and no more is
 * computed than what trains needs. Called inside a tidy scope.
 */
export interface Stage<Saved> {
  forward(pass: Pass, x: Tensor): { readonly y: Tensor; readonly saved: Saved };
  /** From the gradient at the output to the one at the input; gives the gradients of what trains to `gradients`. */
  backward(pass: Pass, saved: Saved, dy: Tensor, gradients: GradientVector): Tensor;
}

/** What stages are built from. */
export interface StageContext {
  readonly engine: Engine;
  readonly kernels: Kernels;
  readonly architecture: TransformerArchitecture;
  readonly weights: TransformerWeights;
  readonly lora: LoraConfig | null;
  /** The rate of GPT-2's three places: embeddings, attention weights, ends of residual branches. */
  readonly dropout: number;
  /** A number for a place of dropout, that no other place of the model has. */
  nextDraw(): number;
}
