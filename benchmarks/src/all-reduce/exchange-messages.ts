import type { ShardEndpoint__Output } from '@lockstep/transport';

/** How the tensor bytes travel. */
export type ExchangeCarrier = 'memory' | 'unix' | 'tcp';

export interface ExchangeOrder {
  readonly rank: number;
  readonly processes: number;
  /** Elements of the vector. */
  readonly floats: number;
  readonly steps: number;
  readonly carrier: ExchangeCarrier;
  /** The address on which its shard listens. */
  readonly host: string;
}

/** Where a process runs: what starts it there, and its address. */
export interface Station {
  readonly launcher: readonly string[];
  readonly host: string;
}

export type FromExchange =
  | { readonly kind: 'listening'; readonly unixAddress: string; readonly tcpAddress: string }
  | { readonly kind: 'times'; readonly milliseconds: readonly number[] };

export type ToExchange =
  | { readonly kind: 'connect'; readonly endpoints: readonly ShardEndpoint__Output[] }
  | { readonly kind: 'end' };
