import { LockstepError } from '@lockstep/core';
import { checkToken, clientHello, decodeJson, type ClientHello } from './exchange-hello.ts';
import type { AcceptedStream } from './frame-listener.ts';
import { FrameSocket } from './frame-socket.ts';
import { blankHeader, encodeFrame, type TensorFrame } from './tensor-frame.ts';

/** How long a stream may stay open without a hello. */
const HELLO_WITHIN_MS = 10_000;

/** What becomes of a stream's frames once it has said who it is. */
export interface StreamHandler {
  /** What it throws ends the stream, with the message for the peer. */
  take(frame: TensorFrame): void;
  /** The stream ended, however; called once. */
  ended(): void;
}

export interface IncomingStreamEvents {
  /** The first frame, a hello with the run's token. */
  greet(hello: ClientHello, stream: IncomingStream): StreamHandler;
  /** Called once; with a fault where the peer broke the protocol. */
  ended(fault: LockstepError | null): void;
}

/** The server's end of one stream, from the first frame to its end: nothing that a peer sends harms anything but it. */
export class IncomingStream {
  /** The address of the other side. */
  readonly peer: string;
  /** For what is written to the peer. */
  readonly socket: FrameSocket;
  readonly #token: string;
  readonly #events: IncomingStreamEvents;
  readonly #silence: NodeJS.Timeout;
  #handler: StreamHandler | null = null;
  #ended = false;

  constructor(stream: AcceptedStream, token: string, events: IncomingStreamEvents) {
    this.peer = stream.peer;
    this.#token = token;
    this.#events = events;
    this.#silence = setTimeout(() => this.fault(new LockstepError('protocol', `no hello within ${HELLO_WITHIN_MS} ms`)), HELLO_WITHIN_MS);
    this.socket = new FrameSocket((onBytes) => stream.open(onBytes), {
      onFrame: (frame) => this.#take(frame),
      onFault: (fault) => this.fault(fault),
      onEnd: () => this.close(),
    });
  }

  send(frame: Buffer): void {
    if (!this.#ended) void this.socket.send(frame);
  }

  /** Ends the stream, without a word. */
  close(): void {
    this.#end(null);
    this.socket.close();
  }

  /** Ends the stream for what the peer did. */
  fault(fault: LockstepError): void {
    this.#end(fault);
    this.socket.refuse('protocol', fault.message);
  }

  /** Ends the stream without anybody's fault. */
  refuse(reason: string): void {
    this.#end(null);
    this.socket.refuse('connection', reason);
  }

  #take(frame: TensorFrame): void {
    if (this.#handler !== null) return this.#handler.take(frame);
    if (frame.header.kind === 'ping') return this.#answerPing();
    if (frame.header.kind !== 'hello') throw new LockstepError('protocol', `${frame.header.kind} before hello`);
    const hello = decodeJson('hello', clientHello, frame.payload);
    checkToken(hello.token, this.#token);
    clearTimeout(this.#silence);
    this.socket.trust();
    this.#handler = this.#events.greet(hello, this);
  }

  /** Whoever asks is told that this thread turns, once a connection. */
  #answerPing(): void {
    this.send(encodeFrame({ ...blankHeader, kind: 'ping' }));
    this.close();
  }

  #end(fault: LockstepError | null): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#silence);
    this.#handler?.ended();
    this.#events.ended(fault);
  }
}
