import type { Socket } from 'node:net';
import { z } from 'zod';
import { LockstepError, messageOf } from '@lockstep/core';
import { FrameReader } from './frame-reader.ts';
import { blankHeader, encodeFrame, type TensorFrame } from './tensor-frame.ts';

/** How long the other side of a stream that was ended here may take to hear of it. */
const LINGER_MS = 1_000;

const NOTHING = Buffer.alloc(0);

/** Why a stream is ended, in JSON after the header of a `refusal`. */
const refusalSchema = z.strictObject({ code: z.enum(['protocol', 'connection']), message: z.string() });
type EndCode = z.output<typeof refusalSchema>['code'];

export interface FrameSocketEvents {
  /** What it throws is a fault. The payload may be reused once it returns. */
  onFrame(frame: TensorFrame): void;
  /** The other side broke the protocol; the stream is still there to answer. */
  onFault(fault: LockstepError): void;
  /** The other side has ended the stream, with its reason, or the connection is gone. */
  onEnd(code: EndCode, reason: string): void;
}

/**
 * A tensor stream: frames both ways over one socket, each as long as it says first. No event comes once it has ended or was
 * closed here, whichever is first.
 */
export class FrameSocket {
  readonly #socket: Socket;
  readonly #events: FrameSocketEvents;
  readonly #reader: FrameReader;
  #closed = false;

  /** `open` gives the socket and has it call `onBytes` with what arrives, which may be reused after that. */
  constructor(open: (onBytes: (bytes: Buffer) => void) => Socket, events: FrameSocketEvents) {
    this.#events = events;
    this.#reader = new FrameReader((frame) => this.#take(frame));
    this.#socket = open((bytes) => this.#read(bytes));
    this.#socket.on('error', (error) => this.#lose('connection', messageOf(error)));
    this.#socket.on('close', () => this.#lose('connection', 'the connection has ended'));
  }

  /** Whether what is sent may still arrive. */
  get isOpen(): boolean {
    return !this.#closed;
  }

  /** The other side is known: its heads and JSON may be as long as a frame. */
  trust(): void {
    this.#reader.trust();
  }

  /** Sends a frame or a part of one, without a copy of it, and resolves when the socket takes more or has ended. */
  async send(part: Uint8Array): Promise<void> {
    if (this.#closed || this.#socket.write(part)) return;
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        for (const event of ['drain', 'close'] as const) this.#socket.off(event, settle);
        resolve();
      };
      for (const event of ['drain', 'close'] as const) this.#socket.once(event, settle);
    });
  }

  /** Resolves when nothing reads what was sent any more: the system has it all, or the stream has ended. */
  async flushed(): Promise<void> {
    if (this.#socket.writableLength === 0 || this.#socket.destroyed) return;
    await new Promise<void>((resolve) => {
      if (this.#closed) this.#socket.once('close', () => resolve());
      else this.#socket.write(NOTHING, () => resolve());
    });
  }

  /** Ends the stream and tells the other side why, if it still reads. */
  refuse(code: EndCode, message: string): void {
    if (this.#closed) return;
    this.#socket.write(encodeFrame({ ...blankHeader, kind: 'refusal' }, Buffer.from(JSON.stringify({ code, message }))));
    this.#end();
  }

  /** Ends the stream. What the system has not taken yet is dropped, and not read any more. */
  close(): void {
    if (this.#closed) return;
    if (this.#socket.writableLength === 0) return this.#end();
    this.#closed = true;
    this.#socket.destroy();
  }

  #end(): void {
    this.#closed = true;
    this.#socket.end();
    const linger = setTimeout(() => this.#socket.destroy(), LINGER_MS);
    this.#socket.once('close', () => clearTimeout(linger));
  }

  #read(bytes: Buffer): void {
    if (this.#closed) return;
    try {
      this.#reader.take(bytes);
    } catch (error) {
      this.#events.onFault(error instanceof LockstepError ? error : new LockstepError('protocol', messageOf(error), { cause: error }));
    }
  }

  #take(frame: TensorFrame): void {
    if (this.#closed) return;
    if (frame.header.kind !== 'refusal') return this.#events.onFrame(frame);
    const { code, message } = refusalSchema.parse(JSON.parse(frame.payload.toString('utf8')));
    this.#lose(code, message);
  }

  #lose(code: EndCode, reason: string): void {
    if (this.#closed) return;
    this.close();
    this.#events.onEnd(code, reason);
  }
}
