import type { ErrorCode } from '@lockstep/core';
import type { FinishedStep, ShardEndpoint__Output } from '@lockstep/transport';
import type { ShardPlan } from './shard-plan.ts';

export type ShardRole = 'primary' | 'replica';

/** Where a shard goes on from. */
export interface ShardStart {
  readonly version: number;
  /** As a state block: the parameters, then each optimizer slot. */
  readonly state: Float32Array;
}

export interface ShardSettings {
  readonly plan: ShardPlan;
  readonly generation: number;
  readonly role: ShardRole;
  /** Null: the initial parameters come from a worker, or the state from the primary. */
  readonly start: ShardStart | null;
  readonly sharedMemory: boolean;
  readonly token: string;
  readonly failureDetectionMs: number;
  /** One integer that the shard keeps at the version that it has given out, -1 before the first. */
  readonly version: Int32Array<SharedArrayBuffer>;
}

/** What a shard's thread is started with. */
export interface ShardThreadData extends ShardSettings {
  readonly listenOn: readonly string[];
}

export type ShardMessage =
  | { readonly kind: 'listening'; readonly addresses: readonly string[] }
  | { readonly kind: 'finished'; readonly steps: readonly FinishedStep[] }
  | { readonly kind: 'snapshot'; readonly version: number; readonly state: Float32Array<ArrayBuffer> }
  /** The snapshot of this version is not needed any more. */
  | { readonly kind: 'copy-dropped'; readonly version: number }
  | { readonly kind: 'coverage'; readonly request: number; readonly version: number; readonly missing: readonly number[]; readonly waitsFor: string }
  | { readonly kind: 'replica-state'; readonly inSync: boolean; readonly reason: string; readonly replicaAddress: string }
  | { readonly kind: 'note'; readonly level: 'info' | 'warn'; readonly message: string }
  | { readonly kind: 'fault'; readonly code: ErrorCode; readonly message: string; readonly hint: string | undefined };

export type ShardCommand =
  /** The primaries of all shards, in range order. */
  | { readonly kind: 'peers'; readonly endpoints: readonly ShardEndpoint__Output[] }
  /** Null: keep no replica. */
  | { readonly kind: 'replicate'; readonly to: ShardEndpoint__Output | null }
  | { readonly kind: 'promote' }
  | { readonly kind: 'coverage'; readonly request: number }
  | { readonly kind: 'acknowledge'; readonly stepsBefore: number; readonly snapshotsBefore: number }
  | { readonly kind: 'snapshot-at'; readonly version: number }
  | { readonly kind: 'close' };
