import { join } from 'node:path';
import { loadPackageDefinition, type ChannelOptions, type ClientDuplexStream, type ServerDuplexStream, type ServerReadableStream, type ServerWritableStream } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { ProtoGrpcType } from './gen/coordinator.ts';
import type { BlockChunk, BlockChunk__Output } from './gen/lockstep/v1/BlockChunk.ts';
import type { BlockReference } from './gen/lockstep/v1/BlockReference.ts';
import type { BlockRequest__Output } from './gen/lockstep/v1/BlockRequest.ts';
import type { CoordinatorMessage, CoordinatorMessage__Output } from './gen/lockstep/v1/CoordinatorMessage.ts';
import type { HostCommand, HostCommand__Output } from './gen/lockstep/v1/HostCommand.ts';
import type { HostMessage, HostMessage__Output } from './gen/lockstep/v1/HostMessage.ts';
import type { WorkerMessage, WorkerMessage__Output } from './gen/lockstep/v1/WorkerMessage.ts';

const PROTO_ROOT = join(import.meta.dirname, '../../../proto');
const MIB = 1024 * 1024;

const definition = loadSync('lockstep/v1/coordinator.proto', {
  includeDirs: [PROTO_ROOT], longs: Number, defaults: true, oneofs: true, arrays: true,
});

/** The Coordinator service of coordinator.proto: its client class and its server definition. */
export const CoordinatorGrpc = (loadPackageDefinition(definition) as unknown as ProtoGrpcType).lockstep.v1.Coordinator;

/** Both sides of a membership stream must speak the same. */
export const PROTOCOL_VERSION = 6;

/** A block travels in pieces of this size. */
export const BLOCK_CHUNK_BYTES = 512 * 1024;

/**
 * A member sends at most its model's topology or a part's predictions. Pings end the connections of peers that are gone
 * without a word, and of those that never speak HTTP/2.
 */
export const controlServerOptions: ChannelOptions = {
  'grpc.max_receive_message_length': 8 * MIB,
  'grpc.max_send_message_length': 64 * MIB,
  'grpc.max_concurrent_streams': 64,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 10_000,
};

/**
 * The coordinator sends at most a model's bundle. A channel is used for one attempt to connect: it shares neither its
 * sockets nor its own back-off with the one before.
 */
export const controlClientOptions: ChannelOptions = {
  'grpc.max_receive_message_length': 64 * MIB,
  'grpc.max_send_message_length': 8 * MIB,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 10_000,
};

/** What a PutBlock call says in its metadata, before the first chunk. */
export const PUT_METADATA = { token: 'lockstep-token', sha256: 'lockstep-sha256', numBytes: 'lockstep-bytes' } as const;

export type JoinServerStream = ServerDuplexStream<WorkerMessage__Output, CoordinatorMessage>;
export type JoinClientStream = ClientDuplexStream<WorkerMessage, CoordinatorMessage__Output>;
export type HostServerStream = ServerDuplexStream<HostMessage__Output, HostCommand>;
export type HostClientStream = ClientDuplexStream<HostMessage, HostCommand__Output>;
export type FetchServerStream = ServerWritableStream<BlockRequest__Output, BlockChunk>;
export type PutServerStream = ServerReadableStream<BlockChunk__Output, BlockReference>;
