import type { LockstepErrorOptions, ErrorCode } from '@lockstep/core';
import type { FinishedStep, ShardPlan } from './shard.ts';

/** What a shard's thread is started with. */
export interface ShardThreadData {
  readonly plan: ShardPlan;
  readonly listenOn: readonly string[];
  readonly sharedMemory: boolean;
  /** Versions of which the thread sends a copy. */
  readonly snapshots: SnapshotPlan;
}

/** Copies are sent of version 0, of every multiple of these, and of the last. */
export interface SnapshotPlan {
  readonly everyVersions: readonly number[];
  readonly lastVersion: number;
}

export interface TimedStep {
  readonly finished: FinishedStep;
  /** When, in milliseconds since 1970 with fractions, which threads of a process agree on. */
  readonly atMs: number;
}

export type ShardMessage =
  | { readonly kind: 'listening'; readonly addresses: readonly string[] }
  | { readonly kind: 'finished'; readonly steps: readonly TimedStep[] }
  | { readonly kind: 'snapshot'; readonly version: number; readonly parameters: Float32Array }
  | { readonly kind: 'norms'; readonly step: number; readonly blockSums: Float64Array }
  | { readonly kind: 'fault'; readonly code: ErrorCode; readonly message: string; readonly hint: LockstepErrorOptions['hint'] };

export type ShardCommand =
  | { readonly kind: 'clip'; readonly factor: number }
  | { readonly kind: 'close' };

export function wantsSnapshot({ everyVersions, lastVersion }: SnapshotPlan, version: number): boolean {
  return version === 0 || version === lastVersion || everyVersions.some((every) => version % every === 0);
}
