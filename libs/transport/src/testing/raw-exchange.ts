import { Client, credentials, Server, ServerCredentials, type ServiceError } from '@grpc/grpc-js';
import { channelTarget } from '../addresses.ts';
import { exchangeService, type ExchangeClientStream, type ExchangeServerStream } from '../exchange-service.ts';
import { blankHeader, encodeFrame } from '../tensor-frame.ts';
import { encodeHello } from '../exchange-hello.ts';
import { Journal } from './journal.ts';

export const TOKEN = 'the token of this run';

export const hello = (value: object): Buffer => encodeFrame(blankHeader, encodeHello(value));

/** What a worker says first. */
export const workerHello = (rank: number, fields: object = {}): Buffer =>
  hello({ role: 'worker', token: TOKEN, rank, connection: `${rank}`.padStart(32, '0'), ...fields });

/** A stream to a shard that says whatever a test wants it to. */
export class RawWorker implements Disposable {
  readonly stream: ExchangeClientStream;
  readonly frames = new Journal<Buffer>();
  readonly #client: Client;
  readonly #ended = Promise.withResolvers<string>();

  constructor(address: string) {
    this.#client = new Client(channelTarget(address), credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = exchangeService.exchange;
    this.stream = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.stream.on('data', (frame: Buffer) => this.frames.add(frame));
    this.stream.on('error', (error: ServiceError) => this.#ended.resolve(error.details));
    this.stream.on('end', () => this.#ended.resolve(''));
  }

  /** What the shard says when it ends the stream. */
  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  send(...frames: readonly Buffer[]): void {
    for (const frame of frames) this.stream.write(frame);
  }

  [Symbol.dispose](): void {
    this.stream.end();
    this.#client.close();
  }
}

/** A shard that says whatever a test wants it to. */
export async function startRawShard(address: string, accept: (stream: ExchangeServerStream) => void): Promise<{ readonly address: string } & Disposable> {
  const server = new Server();
  server.addService(exchangeService, { exchange: accept });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return { address: address.replace(/:0$/, `:${port}`), [Symbol.dispose]: () => server.forceShutdown() };
}
