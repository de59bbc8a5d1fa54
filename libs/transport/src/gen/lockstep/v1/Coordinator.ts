// Original file: proto/lockstep/v1/coordinator.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BlockChunk as _lockstep_v1_BlockChunk, BlockChunk__Output as _lockstep_v1_BlockChunk__Output } from '../../lockstep/v1/BlockChunk.ts';
import type { BlockReference as _lockstep_v1_BlockReference, BlockReference__Output as _lockstep_v1_BlockReference__Output } from '../../lockstep/v1/BlockReference.ts';
import type { BlockRequest as _lockstep_v1_BlockRequest, BlockRequest__Output as _lockstep_v1_BlockRequest__Output } from '../../lockstep/v1/BlockRequest.ts';
import type { CoordinatorMessage as _lockstep_v1_CoordinatorMessage, CoordinatorMessage__Output as _lockstep_v1_CoordinatorMessage__Output } from '../../lockstep/v1/CoordinatorMessage.ts';
import type { HostCommand as _lockstep_v1_HostCommand, HostCommand__Output as _lockstep_v1_HostCommand__Output } from '../../lockstep/v1/HostCommand.ts';
import type { HostMessage as _lockstep_v1_HostMessage, HostMessage__Output as _lockstep_v1_HostMessage__Output } from '../../lockstep/v1/HostMessage.ts';
import type { WorkerMessage as _lockstep_v1_WorkerMessage, WorkerMessage__Output as _lockstep_v1_WorkerMessage__Output } from '../../lockstep/v1/WorkerMessage.ts';

export interface CoordinatorClient extends grpc.Client {
  FetchBlock(argument: _lockstep_v1_BlockRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_BlockChunk__Output>;
  FetchBlock(argument: _lockstep_v1_BlockRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_BlockChunk__Output>;
  fetchBlock(argument: _lockstep_v1_BlockRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_BlockChunk__Output>;
  fetchBlock(argument: _lockstep_v1_BlockRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_BlockChunk__Output>;
  
  Host(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_HostMessage, _lockstep_v1_HostCommand__Output>;
  Host(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_HostMessage, _lockstep_v1_HostCommand__Output>;
  host(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_HostMessage, _lockstep_v1_HostCommand__Output>;
  host(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_HostMessage, _lockstep_v1_HostCommand__Output>;
  
  Join(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_WorkerMessage, _lockstep_v1_CoordinatorMessage__Output>;
  Join(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_WorkerMessage, _lockstep_v1_CoordinatorMessage__Output>;
  join(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_WorkerMessage, _lockstep_v1_CoordinatorMessage__Output>;
  join(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_WorkerMessage, _lockstep_v1_CoordinatorMessage__Output>;
  
  PutBlock(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_BlockReference__Output>): grpc.ClientWritableStream<_lockstep_v1_BlockChunk>;
  PutBlock(metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_BlockReference__Output>): grpc.ClientWritableStream<_lockstep_v1_BlockChunk>;
  PutBlock(options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_BlockReference__Output>): grpc.ClientWritableStream<_lockstep_v1_BlockChunk>;
  PutBlock(callback: grpc.requestCallback<_lockstep_v1_BlockReference__Output>): grpc.ClientWritableStream<_lockstep_v1_BlockChunk>;
  putBlock(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_BlockReference__Output>): grpc.ClientWritableStream<_lockstep_v1_BlockChunk>;
  putBlock(metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_BlockReference__Output>): grpc.ClientWritableStream<_lockstep_v1_BlockChunk>;
  putBlock(options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_BlockReference__Output>): grpc.ClientWritableStream<_lockstep_v1_BlockChunk>;
  putBlock(callback: grpc.requestCallback<_lockstep_v1_BlockReference__Output>): grpc.ClientWritableStream<_lockstep_v1_BlockChunk>;
  
}

export interface CoordinatorHandlers extends grpc.UntypedServiceImplementation {
  FetchBlock: grpc.handleServerStreamingCall<_lockstep_v1_BlockRequest__Output, _lockstep_v1_BlockChunk>;
  
  Host: grpc.handleBidiStreamingCall<_lockstep_v1_HostMessage__Output, _lockstep_v1_HostCommand>;
  
  Join: grpc.handleBidiStreamingCall<_lockstep_v1_WorkerMessage__Output, _lockstep_v1_CoordinatorMessage>;
  
  PutBlock: grpc.handleClientStreamingCall<_lockstep_v1_BlockChunk__Output, _lockstep_v1_BlockReference>;
  
}

export interface CoordinatorDefinition extends grpc.ServiceDefinition {
  FetchBlock: MethodDefinition<_lockstep_v1_BlockRequest, _lockstep_v1_BlockChunk, _lockstep_v1_BlockRequest__Output, _lockstep_v1_BlockChunk__Output>
  Host: MethodDefinition<_lockstep_v1_HostMessage, _lockstep_v1_HostCommand, _lockstep_v1_HostMessage__Output, _lockstep_v1_HostCommand__Output>
  Join: MethodDefinition<_lockstep_v1_WorkerMessage, _lockstep_v1_CoordinatorMessage, _lockstep_v1_WorkerMessage__Output, _lockstep_v1_CoordinatorMessage__Output>
  PutBlock: MethodDefinition<_lockstep_v1_BlockChunk, _lockstep_v1_BlockReference, _lockstep_v1_BlockChunk__Output, _lockstep_v1_BlockReference__Output>
}
