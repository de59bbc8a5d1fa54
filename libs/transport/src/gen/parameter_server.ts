import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { ParameterServerClient as _lockstep_v1_ParameterServerClient, ParameterServerDefinition as _lockstep_v1_ParameterServerDefinition } from './lockstep/v1/ParameterServer.ts';
import type { TensorFrame as _lockstep_v1_TensorFrame, TensorFrame__Output as _lockstep_v1_TensorFrame__Output } from './lockstep/v1/TensorFrame.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  lockstep: {
    v1: {
      ParameterServer: SubtypeConstructor<typeof grpc.Client, _lockstep_v1_ParameterServerClient> & { service: _lockstep_v1_ParameterServerDefinition }
      TensorFrame: MessageTypeDefinition<_lockstep_v1_TensorFrame, _lockstep_v1_TensorFrame__Output>
    }
  }
}

