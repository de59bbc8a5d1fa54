import { connect, type Socket } from 'node:net';
import { socketTarget, type Address } from './addresses.ts';
import { MAX_FRAME_BYTES } from './tensor-frame.ts';

/** What a socket may hold unsent before it asks for a pause: a frame, so that the next is there when the last has left. */
export const SOCKET_BUFFER = MAX_FRAME_BYTES;

/** An answer takes a round trip; where there is none a new attempt is sooner than the system's, which waits twice as long each time. */
const CONNECT_WITHIN_MS = 3_000;

/** What a socket reads at a time, into the same memory over and over. */
const RECEIVE_BYTES = 65_536;

/**
 * A socket to an address, which may be written before it is connected; it ends with an error where nobody answers.
 * What arrives is given to `onBytes`, in memory that is used again afterwards.
 */
export function dial(address: Address, onBytes: (bytes: Buffer) => void): Socket {
  const memory = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  const options = {
    ...socketTarget(address),
    noDelay: true,
    highWaterMark: SOCKET_BUFFER,
    onread: {
      buffer: memory,
      callback: (numBytes: number): boolean => {
        onBytes(memory.subarray(0, numBytes));
        return true;
      },
    },
  };
  const socket = connect(options);
  const deadline = setTimeout(() => socket.destroy(new Error(`no answer within ${CONNECT_WITHIN_MS} ms`)), CONNECT_WITHIN_MS);
  for (const event of ['connect', 'close'] as const) socket.once(event, () => clearTimeout(deadline));
  return socket;
}
