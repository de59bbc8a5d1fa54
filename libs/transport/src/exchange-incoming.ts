import { status } from '@grpc/grpc-js';
import { LockstepError, messageOf } from '@lockstep/core';
import { checkToken, clientHello, decodeHello, type ClientHello } from './exchange-hello.ts';
import type { ExchangeServerStream } from './exchange-service.ts';
import { decodeFrame, type TensorFrame } from './tensor-frame.ts';

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
  readonly #stream: ExchangeServerStream;
  readonly #token: string;
  readonly #events: IncomingStreamEvents;
  readonly #silence: NodeJS.Timeout;
  #handler: StreamHandler | null = null;
  #ended = false;

  constructor(stream: ExchangeServerStream, token: string, events: IncomingStreamEvents) {
    this.#stream = stream;
    this.#token = token;
    this.#events = events;
    this.#silence = setTimeout(() => this.fault(new LockstepError('protocol', `no hello within ${HELLO_WITHIN_MS} ms`)), HELLO_WITHIN_MS);
    stream.on('data', (frame: Buffer) => this.#guard(() => this.#take(decodeFrame(frame))));
    stream.on('error', () => this.close());
    stream.on('cancelled', () => this.close());
    stream.on('end', () => {
      stream.end();
      this.close();
    });
  }

  get peer(): string {
    return this.#stream.getPeer();
  }

  /** For what is written to the peer. */
  get writable(): ExchangeServerStream {
    return this.#stream;
  }

  send(frame: Buffer): void {
    if (!this.#ended) this.#stream.write(frame);
  }

  /** Takes no more; the server ends the stream itself. */
  close(): void {
    this.#end(null);
  }

  /** Ends the stream for what the peer did. */
  fault(fault: LockstepError): void {
    if (this.#ended) return;
    this.#end(fault);
    this.#stream.emit('error', { code: status.INVALID_ARGUMENT, details: fault.message });
  }

  /** Ends the stream without anybody's fault. */
  refuse(reason: string): void {
    if (this.#ended) return;
    this.#end(null);
    this.#stream.emit('error', { code: status.UNAVAILABLE, details: reason });
  }

  #guard(take: () => void): void {
    if (this.#ended) return;
    try {
      take();
    } catch (error) {
      this.fault(error instanceof LockstepError ? error : new LockstepError('protocol', messageOf(error), { cause: error }));
    }
  }

  #take(frame: TensorFrame): void {
    if (this.#handler !== null) return this.#handler.take(frame);
    if (frame.header.kind !== 'hello') throw new LockstepError('protocol', `${frame.header.kind} before hello`);
    const hello = decodeHello(clientHello, frame.payload);
    checkToken(hello.token, this.#token);
    clearTimeout(this.#silence);
    this.#handler = this.#events.greet(hello, this);
  }

  #end(fault: LockstepError | null): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#silence);
    this.#handler?.ended();
    this.#events.ended(fault);
  }
}
