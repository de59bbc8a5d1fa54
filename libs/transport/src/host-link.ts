import type { LockstepError } from '@lockstep/core';
import type { BlockReference__Output } from './gen/lockstep/v1/BlockReference.ts';
import type { HostCommand__Output } from './gen/lockstep/v1/HostCommand.ts';
import type { HostMessage } from './gen/lockstep/v1/HostMessage.ts';

/** A shard host's connection to its coordinator, which may break and come back; over gRPC or within a process. */
export interface HostLink {
  /** Dropped while there is no connection: upon each `welcome` the host sends anew what the coordinator must know. */
  send(message: HostMessage): void;
  /** Hands the coordinator a block, given in parts. Rejects where the connection breaks, or with the signal's reason. */
  putBlock(parts: readonly Uint8Array[], signal: AbortSignal): Promise<BlockReference__Output>;
  /** Fetches a block and checks that it is the one that was asked for. Rejects with the signal's reason. */
  fetchBlock(reference: BlockReference__Output, signal: AbortSignal): Promise<Buffer>;
  close(): void;
}

/** What a link tells the host whose it is; never within a call of the host's. */
export interface HostLinkEvents {
  /** The first message of every connection. */
  hello(): HostMessage;
  command(command: HostCommand__Output): void;
  /** The link is over for good: told to finish, refused, or the coordinator did not come back. Called once, never after `close`. */
  ended(error: LockstepError | null): void;
}
