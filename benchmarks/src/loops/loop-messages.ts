import type { BenchModel } from '../workload.ts';

/** `tfjs`: as a user writes it; `tfjs-fast`: the same on Lockstep's kernels; `engine`: Lockstep's own gradient and optimizer, alone. */
export type LoopKind = 'tfjs' | 'tfjs-fast' | 'engine';

export interface LoopOrder {
  readonly kind: LoopKind;
  readonly model: BenchModel;
  readonly seconds: number;
}

export type LoopMessage = { readonly kind: 'ready' } | { readonly kind: 'done'; readonly examplesPerSecond: number };
