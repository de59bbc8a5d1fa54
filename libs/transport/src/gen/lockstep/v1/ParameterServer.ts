// Original file: proto/lockstep/v1/parameter_server.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { TensorFrame as _lockstep_v1_TensorFrame, TensorFrame__Output as _lockstep_v1_TensorFrame__Output } from '../../lockstep/v1/TensorFrame.ts';

export interface ParameterServerClient extends grpc.Client {
  Exchange(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_TensorFrame, _lockstep_v1_TensorFrame__Output>;
  Exchange(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_TensorFrame, _lockstep_v1_TensorFrame__Output>;
  exchange(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_TensorFrame, _lockstep_v1_TensorFrame__Output>;
  exchange(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_TensorFrame, _lockstep_v1_TensorFrame__Output>;
  
}

export interface ParameterServerHandlers extends grpc.UntypedServiceImplementation {
  Exchange: grpc.handleBidiStreamingCall<_lockstep_v1_TensorFrame__Output, _lockstep_v1_TensorFrame>;
  
}

export interface ParameterServerDefinition extends grpc.ServiceDefinition {
  Exchange: MethodDefinition<_lockstep_v1_TensorFrame, _lockstep_v1_TensorFrame, _lockstep_v1_TensorFrame__Output, _lockstep_v1_TensorFrame__Output>
}
