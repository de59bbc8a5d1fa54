import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { Client, credentials, Metadata, status, type ClientDuplexStream } from '@grpc/grpc-js';
import { FrameReader } from '@lockstep/transport';

const pass = (bytes: Buffer): Buffer => bytes;

export const JOIN = '/lockstep.v1.Coordinator/Join';
export const HOST = '/lockstep.v1.Coordinator/Host';
export const PUT = '/lockstep.v1.Coordinator/PutBlock';
export const FETCH = '/lockstep.v1.Coordinator/FetchBlock';

/** A connection that says what no client of ours would. All are let go at the end. */
export class RawPeers implements Disposable {
  readonly #sockets: Socket[] = [];
  readonly #sessions: ClientHttp2Session[] = [];
  readonly #clients: Client[] = [];

  async socket(port: number): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    this.#sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  }

  /** Sends bytes and waits until the server closes the connection. */
  async bytes(port: number, bytes: Uint8Array): Promise<'closed'> {
    const socket = await this.socket(port);
    socket.resume();
    socket.write(bytes);
    await once(socket, 'close');
    return 'closed';
  }

  /** Sends frames to a shard and gives what it ends the stream with, `closed` where it says nothing. */
  async frames(port: number, frames: readonly Buffer[]): Promise<string> {
    const socket = await this.socket(port);
    const answer = Promise.withResolvers<string>();
    const reader = new FrameReader(({ header, payload }) => {
      if (header.kind === 'refusal') answer.resolve(refusalIn(payload));
    });
    socket.on('data', (bytes: Buffer) => reader.take(bytes)).on('close', () => answer.resolve('closed'));
    for (const frame of frames) socket.write(frame);
    return answer.promise;
  }

  /** A call whose messages are these bytes, sent as they are; gives its status. */
  async call(port: number, path: string, messages: readonly Buffer[]): Promise<string> {
    return statusOf(this.#open(port, path, messages, {}));
  }

  /** The same with metadata, and the client's side is ended after the messages. */
  async put(port: number, path: string, messages: readonly Buffer[], fields: Readonly<Record<string, string>>): Promise<string> {
    const stream = this.#open(port, path, messages, fields);
    stream.end();
    return statusOf(stream);
  }

  /** An HTTP/2 request with these bytes for a body, gRPC's framing included; the answer is never read. Resolves when that begins to come. */
  async unread(port: number, path: string, body: Buffer): Promise<void> {
    const request = this.#request(port, path);
    request.on('error', () => undefined);
    request.end(body);
    await once(request, 'response');
  }

  /** The same, ended there; gives the gRPC status. */
  async request(port: number, path: string, body: Buffer): Promise<string> {
    const request = this.#request(port, path);
    const answer = Promise.withResolvers<string>();
    const settle = (headers: Record<string, unknown>): void => {
      if (headers['grpc-status'] !== undefined) answer.resolve(`${status[Number(headers['grpc-status'])]}: ${decodeURIComponent(String(headers['grpc-message'] ?? ''))}`);
    };
    request.on('response', settle).on('trailers', settle).on('error', (error) => answer.resolve(`broken: ${error.message}`)).on('close', () => answer.resolve('closed'));
    request.resume();
    request.end(body);
    return answer.promise;
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.close();
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  #open(port: number, path: string, messages: readonly Buffer[], fields: Readonly<Record<string, string>>): ClientDuplexStream<Buffer, Buffer> {
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1, 'grpc.max_send_message_length': -1 });
    this.#clients.push(client);
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
    const stream = client.makeBidiStreamRequest(path, pass, pass, metadata);
    for (const message of messages) stream.write(message);
    return stream;
  }

  #request(port: number, path: string) {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    this.#sessions.push(session);
    return session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
  }
}

/** A gRPC message as it goes over HTTP/2: not compressed, its length, the bytes. */
export function framed(message: Buffer, length = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

function refusalIn(payload: Buffer): string {
  const { code, message } = JSON.parse(payload.toString('utf8')) as { readonly code: string; readonly message: string };
  return `${code}: ${message}`;
}

function statusOf(stream: ClientDuplexStream<Buffer, Buffer>): Promise<string> {
  return new Promise((resolve) => {
    stream.on('data', () => undefined);
    stream.on('error', () => undefined);
    stream.on('status', ({ code, details }: { code: number; details: string }) => resolve(`${status[code]}: ${details}`));
  });
}
