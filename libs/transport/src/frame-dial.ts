import { connect, type Socket } from 'node:net';
import { socketTarget, type Address } from './addresses.ts';
import { readingInto, SOCKET_BUFFER, type OnBytes } from './socket-reading.ts';

/** An answer takes a round trip; where there is none a new attempt is sooner than the system's, which waits twice as long each time. */
const CONNECT_WITHIN_MS = 3_000;

/**
 * A socket to an address, which may be written before it is connected; it ends with an error where nobody answers.
 * What arrives is given to `onBytes`, in memory that is used again afterwards.
 */
export function dial(address: Address, onBytes: OnBytes): Socket {
  const options = { ...socketTarget(address), noDelay: true, highWaterMark: SOCKET_BUFFER, onread: readingInto(onBytes) };
  const socket = connect(options);
  const deadline = setTimeout(() => socket.destroy(new Error(`no answer within ${CONNECT_WITHIN_MS} ms`)), CONNECT_WITHIN_MS);
  for (const event of ['connect', 'close'] as const) socket.once(event, () => clearTimeout(deadline));
  return socket;
}
