import { join } from 'node:path';
import { loadPackageDefinition, type ChannelOptions, type ServerDuplexStream, type ClientDuplexStream } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { ProtoGrpcType } from './gen/coordinator.ts';
import type { CoordinatorMessage, CoordinatorMessage__Output } from './gen/lockstep/v1/CoordinatorMessage.ts';
import type { WorkerMessage, WorkerMessage__Output } from './gen/lockstep/v1/WorkerMessage.ts';

const PROTO_ROOT = join(import.meta.dirname, '../../../proto');

const definition = loadSync('lockstep/v1/coordinator.proto', {
  includeDirs: [PROTO_ROOT], longs: Number, defaults: true, oneofs: true, arrays: true,
});

/** The Coordinator service of coordinator.proto: its client class and its server definition. */
export const CoordinatorGrpc = (loadPackageDefinition(definition) as unknown as ProtoGrpcType).lockstep.v1.Coordinator;

/** Both sides of a membership stream must speak the same. */
export const PROTOCOL_VERSION = 1;

/** A control message carries at most a model's bundle or a part's predictions. */
export const controlOptions: ChannelOptions = {
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
  'grpc.max_send_message_length': 64 * 1024 * 1024,
};

export type JoinServerStream = ServerDuplexStream<WorkerMessage__Output, CoordinatorMessage>;
export type JoinClientStream = ClientDuplexStream<WorkerMessage, CoordinatorMessage__Output>;
