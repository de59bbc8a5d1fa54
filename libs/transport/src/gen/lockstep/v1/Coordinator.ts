// Original file: proto/lockstep/v1/coordinator.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BlockChunk as _lockstep_v1_BlockChunk, BlockChunk__Output as _lockstep_v1_BlockChunk__Output } from '../../lockstep/v1/BlockChunk.ts';
import type { BlockRequest as _lockstep_v1_BlockRequest, BlockRequest__Output as _lockstep_v1_BlockRequest__Output } from '../../lockstep/v1/BlockRequest.ts';
import type { CoordinatorMessage as _lockstep_v1_CoordinatorMessage, CoordinatorMessage__Output as _lockstep_v1_CoordinatorMessage__Output } from '../../lockstep/v1/CoordinatorMessage.ts';
import type { WorkerMessage as _lockstep_v1_WorkerMessage, WorkerMessage__Output as _lockstep_v1_WorkerMessage__Output } from '../../lockstep/v1/WorkerMessage.ts';

export interface CoordinatorClient extends grpc.Client {
  FetchBlock(argument: _lockstep_v1_BlockRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_BlockChunk__Output>;
  FetchBlock(argument: _lockstep_v1_BlockRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_BlockChunk__Output>;
  fetchBlock(argument: _lockstep_v1_BlockRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_BlockChunk__Output>;
  fetchBlock(argument: _lockstep_v1_BlockRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_BlockChunk__Output>;
  
  Join(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_WorkerMessage, _lockstep_v1_CoordinatorMessage__Output>;
  Join(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_WorkerMessage, _lockstep_v1_CoordinatorMessage__Output>;
  join(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_WorkerMessage, _lockstep_v1_CoordinatorMessage__Output>;
  join(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_WorkerMessage, _lockstep_v1_CoordinatorMessage__Output>;
  
}

export interface CoordinatorHandlers extends grpc.UntypedServiceImplementation {
  FetchBlock: grpc.handleServerStreamingCall<_lockstep_v1_BlockRequest__Output, _lockstep_v1_BlockChunk>;
  
  Join: grpc.handleBidiStreamingCall<_lockstep_v1_WorkerMessage__Output, _lockstep_v1_CoordinatorMessage>;
  
}

export interface CoordinatorDefinition extends grpc.ServiceDefinition {
  FetchBlock: MethodDefinition<_lockstep_v1_BlockRequest, _lockstep_v1_BlockChunk, _lockstep_v1_BlockRequest__Output, _lockstep_v1_BlockChunk__Output>
  Join: MethodDefinition<_lockstep_v1_WorkerMessage, _lockstep_v1_CoordinatorMessage, _lockstep_v1_WorkerMessage__Output, _lockstep_v1_CoordinatorMessage__Output>
}
