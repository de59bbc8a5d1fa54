import type { ErrorCode, ParameterWireConfig, RoundedWire } from '@lockstep/core';
import type { PlacementMessage, ShardEndpoint__Output } from '@lockstep/transport';

/** What every relayed shard of a run has in common. */
export interface RelaySettings {
  /** The worker in whose process the relay is. */
  readonly rank: number;
  /** Where that worker joined its coordinator. */
  readonly joined: string;
  readonly microBatches: number;
  /** Elements of the whole vector, from its start, that are optimized. */
  readonly trainableLength: number;
  readonly wire: RoundedWire;
  readonly parameterWire: ParameterWireConfig;
  readonly failureDetectionMs: number;
  readonly sharedMemory: boolean;
}

export interface RelayedEndpoint {
  readonly shard: number;
  readonly endpoint: ShardEndpoint__Output;
}

/** What the relay's thread is started with. */
export interface RelayThreadData extends RelaySettings, Pick<PlacementMessage, 'token'> {
  readonly shards: readonly RelayedEndpoint[];
  /** Where its sockets may be made. */
  readonly directory: string;
}

export type RelayThreadCommand =
  /** The shards are there now. */
  | { readonly kind: 'place'; readonly endpoints: readonly ShardEndpoint__Output[] }
  | { readonly kind: 'close' };

export type RelayThreadMessage =
  /** For each shard in order. */
  | { readonly kind: 'listening'; readonly addresses: readonly string[] }
  | { readonly kind: 'note'; readonly message: string }
  | { readonly kind: 'fault'; readonly code: ErrorCode; readonly message: string };
