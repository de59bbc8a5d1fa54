import { Metadata, status, type ServerDuplexStream } from '@grpc/grpc-js';
import { messageOf } from '@lockstep/core';
import type { ControlNotes } from './control-notes.ts';
import { statusFromError } from './grpc-errors.ts';

/** A stream that has not said hello by then is ended. */
export const HELLO_MS = 10_000;
/** A member that lets so many messages wait does not read: it is one too many. */
const MOST_WAITING = 1_024;

/** One member's stream, seen from the coordinator. */
export interface MemberConnection<Sent> {
  /** `ADDRESS:PORT`, `unix` or `in-process`. */
  readonly peer: string;
  send(message: Sent): void;
  /** Ends the stream after what was sent; what the member says from then on is not heard. */
  end(): void;
}

/**
 * What happens on members' streams. `ended` comes once for every connection, however it ends. A message that `message`
 * throws at costs its sender the connection, and nobody else.
 */
export interface MemberPort<Received, Connection> {
  message(connection: Connection, message: Received): void;
  ended(connection: Connection): void;
}

/** Puts a stream behind a port: a peer that breaks the rules loses its stream, with one note. */
export function attachMember<Received extends { readonly hello?: unknown }, Sent>(
  stream: ServerDuplexStream<Received, Sent>, port: MemberPort<Received, MemberConnection<Sent>>, notes: ControlNotes,
): void {
  const peer = peerOf(stream);
  let open = true;
  let ending = false;
  const ended = (): void => {
    if (!open) return;
    open = false;
    clearTimeout(silent);
    port.ended(connection);
  };
  const refuse = (fault: ReturnType<typeof statusFromError>): void => {
    if (!open) return;
    notes.warn(`${peer}: its stream was ended: ${fault.details}`);
    stream.emit('error', fault);
  };
  const silent = setTimeout(() => refuse({ code: status.DEADLINE_EXCEEDED, details: `no hello within ${HELLO_MS / 1000} s` }), HELLO_MS);
  const connection: MemberConnection<Sent> = {
    peer,
    send: (message) => {
      if (!open || ending) return;
      if (stream.writableLength > MOST_WAITING) refuse({ code: status.RESOURCE_EXHAUSTED, details: `${stream.writableLength} messages wait for a peer that does not read` });
      else stream.write(message);
    },
    end: () => {
      if (!open || ending) return;
      ending = true;
      clearTimeout(silent);
      stream.end();
    },
  };
  stream.sendMetadata(new Metadata());
  stream.on('data', (message: Received) => {
    if (!open || ending) return;
    if (message.hello) clearTimeout(silent);
    try {
      port.message(connection, message);
    } catch (error) {
      refuse({ ...statusFromError(error), details: messageOf(error) });
    }
  });
  stream.on('error', ended);
  stream.on('cancelled', ended);
  stream.on('end', () => {
    stream.end();
    ended();
  });
}

export function peerOf(stream: { getPeer(): string }): string {
  const peer = stream.getPeer();
  return peer === 'unknown' ? 'unix' : peer;
}
