import type { ConfigBundle, ErrorCode, Numerics, ParameterSpec, RunConfig } from '@lockstep/core';
import type { Tally, TreeNode } from '@lockstep/reduction';

/** What the engine thread is started with. */
export interface EngineThreadData {
  readonly config: RunConfig;
  readonly numerics: Numerics;
  /** The prepared data set (libs/data, block.ts), in shared memory. */
  readonly dataset: SharedArrayBuffer;
  /** The config file's model function as an ES module, or null for a model of the zoo. */
  readonly modelBundle: ConfigBundle | null;
}

export type EngineCommand =
  /** Compute these nodes of a step on `parameters`, which stay as they are until the step after is done. */
  | { readonly kind: 'step'; readonly step: number; readonly nodes: readonly TreeNode[]; readonly parameters: Float32Array }
  /** The step's partials are on their way: prepare the next step's first micro-batch, of this node. */
  | { readonly kind: 'wait'; readonly nextStep: number; readonly node: TreeNode }
  | { readonly kind: 'evaluate'; readonly evaluation: number; readonly split: 'validation' | 'test'; readonly parts: readonly number[]; readonly parameters: Float32Array };

export type EngineMessage =
  | { readonly kind: 'ready'; readonly specs: readonly ParameterSpec[]; readonly topology: object; readonly initial: Float32Array }
  /** `sum` lies in the engine's kernel memory and is reused by its next step. */
  | { readonly kind: 'partial'; readonly step: number; readonly node: TreeNode; readonly tally: Tally; readonly computeMs: number; readonly sum: Float32Array }
  | { readonly kind: 'stepDone'; readonly step: number }
  | { readonly kind: 'evaluated'; readonly evaluation: number; readonly part: number; readonly lossSum: number; readonly numCorrect: number; readonly probabilities: Float32Array }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly hint: string | undefined };
