import type { ChannelOptions, MethodDefinition, ServerDuplexStream, ClientDuplexStream } from '@grpc/grpc-js';
import { MAX_FRAME_BYTES } from './tensor-frame.ts';

const pass = (frame: Buffer): Buffer => frame;

const exchange: MethodDefinition<Buffer, Buffer> = {
  path: '/lockstep.v1.ParameterServer/Exchange',
  requestStream: true,
  responseStream: true,
  requestSerialize: pass,
  requestDeserialize: pass,
  responseSerialize: pass,
  responseDeserialize: pass,
};

/** The ParameterServer service of parameter_server.proto, with frames instead of protobuf. */
export const exchangeService = { exchange };

export type ExchangeServerStream = ServerDuplexStream<Buffer, Buffer>;
export type ExchangeClientStream = ClientDuplexStream<Buffer, Buffer>;

/** A peer may send one chunk at a time and no more. */
export const exchangeOptions: ChannelOptions = {
  'grpc.max_receive_message_length': MAX_FRAME_BYTES,
  'grpc.max_send_message_length': MAX_FRAME_BYTES,
};

/** Waits until a stream takes more, honouring its back-pressure. */
export async function writeFrame(stream: ExchangeServerStream | ExchangeClientStream, frame: Buffer): Promise<void> {
  if (stream.write(frame)) return;
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      for (const event of ['drain', 'close', 'end', 'error'] as const) stream.off(event, settle);
      resolve();
    };
    for (const event of ['drain', 'close', 'end', 'error'] as const) stream.once(event, settle);
  });
}
