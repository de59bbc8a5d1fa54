import type { ConfigBundle, ErrorCode, Numerics, ParameterSpec, RunConfig, WireConfig } from '@lockstep/core';
import type { Tally, TreeNode } from '@lockstep/reduction';

/** The run's data on a worker's machine: the prepared images (libs/data, block.ts) in shared memory, or a token file (libs/text) that is read by position. */
export type WorkerDataset = { readonly kind: 'images'; readonly block: SharedArrayBuffer } | { readonly kind: 'tokens'; readonly path: string };

/** What the engine thread is started with. */
export interface EngineThreadData {
  readonly config: RunConfig;
  readonly numerics: Numerics;
  readonly dataset: WorkerDataset;
  /** The config file's model function as an ES module, or null for a model of the zoo. */
  readonly modelBundle: ConfigBundle | null;
  /** One int: the number of the last command whose partials are of no use any more. */
  readonly useless: Int32Array<SharedArrayBuffer>;
}

export type EngineCommand =
  /** Compute these nodes of a step on `parameters`, which stay as they are until another step has been computed. */
  | {
    readonly kind: 'compute';
    /** Counts up from 1. */
    readonly number: number;
    readonly step: number;
    /** The first of its step: what was computed before is not needed any more. */
    readonly begins: boolean;
    readonly nodes: readonly TreeNode[];
    readonly parameters: Float32Array;
  }
  /** The step's partials are on their way: prepare the next step's first micro-batch, of this node. */
  | { readonly kind: 'wait'; readonly nextStep: number; readonly node: TreeNode }
  | { readonly kind: 'readFrozen' }
  | { readonly kind: 'evaluate'; readonly evaluation: number; readonly split: 'validation' | 'test'; readonly parts: readonly number[]; readonly parameters: Float32Array };

export type EngineMessage =
  /** `frozenSha256` is that of the frozen tensors' values; '' where there are none. */
  | { readonly kind: 'ready'; readonly specs: readonly ParameterSpec[]; readonly topology: object; readonly initial: Float32Array; readonly frozenSha256: string }
  | { readonly kind: 'frozen'; readonly values: readonly Float32Array[] }
  /** `sum`, which travels as `wire` says, lies in the engine's kernel memory and is reused when the next step begins. */
  | {
    readonly kind: 'partial';
    readonly number: number;
    readonly step: number;
    readonly node: TreeNode;
    readonly tally: Tally;
    readonly computeMs: number;
    readonly digests: readonly number[];
    readonly sum: Uint8Array;
    readonly wire: WireConfig;
  }
  /** Told of every command `compute`, after its partials. */
  | { readonly kind: 'computed' }
  | { readonly kind: 'evaluated'; readonly evaluation: number; readonly part: number; readonly lossSum: number; readonly numCorrect: number; readonly numExamples: number; readonly probabilities: Float32Array }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly hint: string | undefined };
