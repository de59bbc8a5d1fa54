import { access } from 'node:fs/promises';
import type { LockstepError } from '@lockstep/core';
import { ExchangeClient, insecureClientCredentials, type PartialHeader, type ShardEndpoint__Output } from '@lockstep/transport';
import type { VersionAssembly } from './version-assembly.ts';

export interface ShardStreamsOptions {
  readonly rank: number;
  /** Where this worker joined its coordinator. */
  readonly joined: string;
  readonly versions: VersionAssembly;
  readonly onLost: (error: LockstepError) => void;
}

/** The exchange streams of a worker, one a shard. */
export interface ShardStreams {
  /** Sends each shard its slice of a partial; `sum` may be reused once this returns. */
  push(header: PartialHeader, slot: number, sum: Float32Array): void;
  initialize(parameters: Float32Array): void;
  close(): void;
}

export async function connectShards(endpoints: readonly ShardEndpoint__Output[], { rank, joined, versions, onLost }: ShardStreamsOptions): Promise<ShardStreams> {
  const clients = await Promise.all(endpoints.map(async (endpoint) => {
    const { from, to } = endpoint;
    const client = new ExchangeClient({
      rank, address: await chooseAddress(endpoint, joined), credentials: insecureClientCredentials(), length: to - from, versions: versions.port({ from, to }), onLost,
    });
    await client.opened;
    return { client, from, to };
  }));
  return {
    push: (header, slot, sum) => {
      for (const { client, from, to } of clients) client.push(header, slot, sum.subarray(from, to));
    },
    initialize: (parameters) => {
      for (const { client, from, to } of clients) client.initialize(parameters.subarray(from, to));
    },
    close: () => {
      for (const { client } of clients) client.close();
    },
  };
}

/** A Unix socket that this machine sees is faster than its TCP port. */
async function chooseAddress({ unixAddress, tcpAddress }: ShardEndpoint__Output, joined: string): Promise<string> {
  const visible = await access(unixAddress.replace(/^unix:/, '')).then(() => true, () => false);
  return visible || joined.startsWith('unix:') ? unixAddress : reachableFrom(joined, tcpAddress);
}

/** A shard that listens on every interface is reached at the host where its coordinator was. */
function reachableFrom(joined: string, tcpAddress: string): string {
  return tcpAddress.replace(/^(0\.0\.0\.0|\[::\])(?=:\d+$)/, joined.replace(/:\d+$/, ''));
}
