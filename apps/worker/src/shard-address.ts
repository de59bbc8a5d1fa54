import { existsSync } from 'node:fs';
import { nearestAddress, type ShardEndpoint__Output } from '@lockstep/transport';

const WILDCARD = /^(?:0\.0\.0\.0|\[::\])(?=:\d+$)/;
const UNIX = 'unix:';

/** Where to reach a shard. One that listens on every interface is the coordinator's own: reached where the worker `joined` it. */
export function shardAddress(endpoint: ShardEndpoint__Output, joined: string): string {
  const address = nearestAddress(endpoint);
  return joined.startsWith('unix:') ? address : address.replace(WILDCARD, joined.replace(/:\d+$/, ''));
}

/** Where a worker exchanges with a shard: with the relay of its machine, where there is one. */
export function exchangeAddress(endpoint: ShardEndpoint__Output, relayAddress: string, joined: string): string {
  return relayAddress !== '' && existsSync(relayAddress.slice(UNIX.length)) ? relayAddress : shardAddress(endpoint, joined);
}
