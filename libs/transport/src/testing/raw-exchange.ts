import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { z } from 'zod';
import { socketTarget } from '../addresses.ts';
import { encodeJson } from '../exchange-hello.ts';
import { dial } from '../frame-dial.ts';
import { FrameReader } from '../frame-reader.ts';
import { blankHeader, encodeFrame, type TensorFrame } from '../tensor-frame.ts';
import { Journal } from './journal.ts';

export const TOKEN = 'the token of this run';

const refusal = z.object({ message: z.string() });

export const hello = (value: object): Buffer => encodeFrame(blankHeader, encodeJson(value));

/** What a worker says first. */
export const workerHello = (rank: number, fields: object = {}): Buffer =>
  hello({ role: 'worker', token: TOKEN, rank, connection: `${rank}`.padStart(32, '0'), ...fields });

/** The frames in these bytes; floats in the parts that a reader gives. */
export function framesIn(...bytes: readonly Buffer[]): TensorFrame[] {
  const frames: TensorFrame[] = [];
  const reader = new FrameReader((frame) => frames.push({ ...frame, payload: Buffer.from(frame.payload) }));
  reader.trust();
  for (const part of bytes) reader.take(part);
  return frames;
}

/** A stream to a shard that says whatever a test wants it to. */
export class RawWorker implements Disposable {
  readonly socket: Socket;
  readonly frames = new Journal<TensorFrame>();
  readonly #ended = Promise.withResolvers<string>();

  constructor(address: string) {
    const reader = new FrameReader((frame) => this.#take(frame));
    reader.trust();
    this.socket = dial(address, (bytes) => reader.take(bytes));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => this.#ended.resolve(''));
  }

  /** What the shard says when it ends the stream. */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  send(...frames: readonly Buffer[]): void {
    for (const frame of frames) this.socket.write(frame);
  }

  [Symbol.dispose](): void {
    this.socket.end();
  }

  #take(frame: TensorFrame): void {
    if (frame.header.kind === 'refusal') this.#ended.resolve(refusal.parse(JSON.parse(frame.payload.toString('utf8'))).message);
    this.frames.add({ ...frame, payload: Buffer.from(frame.payload) });
  }
}

/** A shard that says whatever a test wants it to. */
export async function startRawShard(address: string, accept: (socket: Socket) => void): Promise<{ readonly address: string } & Disposable> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined).resume();
    accept(socket);
  });
  server.listen(socketTarget(address));
  await once(server, 'listening');
  return {
    address,
    [Symbol.dispose]: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
