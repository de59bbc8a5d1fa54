import { LockstepError } from '@lockstep/core';
import type { Address } from './addresses.ts';
import { dial } from './frame-dial.ts';
import { FrameSocket } from './frame-socket.ts';
import type { TensorFrame } from './tensor-frame.ts';

/** A tensor stream to a shard. `onLost` is called once however it ends, but for a `close` here. What `onFrame` throws ends it. */
export function openShardStream(address: Address, onFrame: (frame: TensorFrame) => void, onLost: (error: LockstepError) => void): FrameSocket {
  const socket = new FrameSocket((onBytes) => dial(address, onBytes), {
    onFrame,
    onFault: onLost,
    onEnd: (code, reason) => onLost(new LockstepError(code, `shard at ${address}: ${reason}`)),
  });
  socket.trust();
  return socket;
}
