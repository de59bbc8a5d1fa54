import { existsSync } from 'node:fs';
import type { ShardEndpoint__Output } from './gen/lockstep/v1/ShardEndpoint.ts';

const UNIX = 'unix:';

/** Where to reach a shard from here: a Unix socket that this machine sees is faster than its TCP port. */
export function nearestAddress({ unixAddress, tcpAddress }: Pick<ShardEndpoint__Output, 'unixAddress' | 'tcpAddress'>): string {
  const isVisible = unixAddress !== '' && existsSync(unixAddress.slice(UNIX.length));
  return isVisible || tcpAddress === '' ? unixAddress : tcpAddress;
}
