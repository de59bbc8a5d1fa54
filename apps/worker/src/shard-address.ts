import { nearestAddress, type ShardEndpoint__Output } from '@lockstep/transport';

const WILDCARD = /^(?:0\.0\.0\.0|\[::\])(?=:\d+$)/;

/** Where to reach a shard. One that listens on every interface is the coordinator's own: reached where the worker `joined` it. */
export function shardAddress(endpoint: ShardEndpoint__Output, joined: string): string {
  const address = nearestAddress(endpoint);
  return joined.startsWith('unix:') ? address : address.replace(WILDCARD, joined.replace(/:\d+$/, ''));
}
