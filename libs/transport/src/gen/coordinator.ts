import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Assignment as _lockstep_v1_Assignment, Assignment__Output as _lockstep_v1_Assignment__Output } from './lockstep/v1/Assignment.ts';
import type { BlockChunk as _lockstep_v1_BlockChunk, BlockChunk__Output as _lockstep_v1_BlockChunk__Output } from './lockstep/v1/BlockChunk.ts';
import type { BlockReference as _lockstep_v1_BlockReference, BlockReference__Output as _lockstep_v1_BlockReference__Output } from './lockstep/v1/BlockReference.ts';
import type { BlockRequest as _lockstep_v1_BlockRequest, BlockRequest__Output as _lockstep_v1_BlockRequest__Output } from './lockstep/v1/BlockRequest.ts';
import type { Capabilities as _lockstep_v1_Capabilities, Capabilities__Output as _lockstep_v1_Capabilities__Output } from './lockstep/v1/Capabilities.ts';
import type { CoordinatorClient as _lockstep_v1_CoordinatorClient, CoordinatorDefinition as _lockstep_v1_CoordinatorDefinition } from './lockstep/v1/Coordinator.ts';
import type { CoordinatorMessage as _lockstep_v1_CoordinatorMessage, CoordinatorMessage__Output as _lockstep_v1_CoordinatorMessage__Output } from './lockstep/v1/CoordinatorMessage.ts';
import type { Evaluate as _lockstep_v1_Evaluate, Evaluate__Output as _lockstep_v1_Evaluate__Output } from './lockstep/v1/Evaluate.ts';
import type { EvaluationPart as _lockstep_v1_EvaluationPart, EvaluationPart__Output as _lockstep_v1_EvaluationPart__Output } from './lockstep/v1/EvaluationPart.ts';
import type { Failure as _lockstep_v1_Failure, Failure__Output as _lockstep_v1_Failure__Output } from './lockstep/v1/Failure.ts';
import type { Finish as _lockstep_v1_Finish, Finish__Output as _lockstep_v1_Finish__Output } from './lockstep/v1/Finish.ts';
import type { Heartbeat as _lockstep_v1_Heartbeat, Heartbeat__Output as _lockstep_v1_Heartbeat__Output } from './lockstep/v1/Heartbeat.ts';
import type { Hello as _lockstep_v1_Hello, Hello__Output as _lockstep_v1_Hello__Output } from './lockstep/v1/Hello.ts';
import type { ModelReady as _lockstep_v1_ModelReady, ModelReady__Output as _lockstep_v1_ModelReady__Output } from './lockstep/v1/ModelReady.ts';
import type { ParameterSpec as _lockstep_v1_ParameterSpec, ParameterSpec__Output as _lockstep_v1_ParameterSpec__Output } from './lockstep/v1/ParameterSpec.ts';
import type { Refusal as _lockstep_v1_Refusal, Refusal__Output as _lockstep_v1_Refusal__Output } from './lockstep/v1/Refusal.ts';
import type { ShardEndpoint as _lockstep_v1_ShardEndpoint, ShardEndpoint__Output as _lockstep_v1_ShardEndpoint__Output } from './lockstep/v1/ShardEndpoint.ts';
import type { Shards as _lockstep_v1_Shards, Shards__Output as _lockstep_v1_Shards__Output } from './lockstep/v1/Shards.ts';
import type { TreeNode as _lockstep_v1_TreeNode, TreeNode__Output as _lockstep_v1_TreeNode__Output } from './lockstep/v1/TreeNode.ts';
import type { Welcome as _lockstep_v1_Welcome, Welcome__Output as _lockstep_v1_Welcome__Output } from './lockstep/v1/Welcome.ts';
import type { WorkerMessage as _lockstep_v1_WorkerMessage, WorkerMessage__Output as _lockstep_v1_WorkerMessage__Output } from './lockstep/v1/WorkerMessage.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  lockstep: {
    v1: {
      Assignment: MessageTypeDefinition<_lockstep_v1_Assignment, _lockstep_v1_Assignment__Output>
      BlockChunk: MessageTypeDefinition<_lockstep_v1_BlockChunk, _lockstep_v1_BlockChunk__Output>
      BlockReference: MessageTypeDefinition<_lockstep_v1_BlockReference, _lockstep_v1_BlockReference__Output>
      BlockRequest: MessageTypeDefinition<_lockstep_v1_BlockRequest, _lockstep_v1_BlockRequest__Output>
      Capabilities: MessageTypeDefinition<_lockstep_v1_Capabilities, _lockstep_v1_Capabilities__Output>
      Coordinator: SubtypeConstructor<typeof grpc.Client, _lockstep_v1_CoordinatorClient> & { service: _lockstep_v1_CoordinatorDefinition }
      CoordinatorMessage: MessageTypeDefinition<_lockstep_v1_CoordinatorMessage, _lockstep_v1_CoordinatorMessage__Output>
      Evaluate: MessageTypeDefinition<_lockstep_v1_Evaluate, _lockstep_v1_Evaluate__Output>
      EvaluationPart: MessageTypeDefinition<_lockstep_v1_EvaluationPart, _lockstep_v1_EvaluationPart__Output>
      Failure: MessageTypeDefinition<_lockstep_v1_Failure, _lockstep_v1_Failure__Output>
      Finish: MessageTypeDefinition<_lockstep_v1_Finish, _lockstep_v1_Finish__Output>
      Heartbeat: MessageTypeDefinition<_lockstep_v1_Heartbeat, _lockstep_v1_Heartbeat__Output>
      Hello: MessageTypeDefinition<_lockstep_v1_Hello, _lockstep_v1_Hello__Output>
      ModelReady: MessageTypeDefinition<_lockstep_v1_ModelReady, _lockstep_v1_ModelReady__Output>
      ParameterSpec: MessageTypeDefinition<_lockstep_v1_ParameterSpec, _lockstep_v1_ParameterSpec__Output>
      Refusal: MessageTypeDefinition<_lockstep_v1_Refusal, _lockstep_v1_Refusal__Output>
      ShardEndpoint: MessageTypeDefinition<_lockstep_v1_ShardEndpoint, _lockstep_v1_ShardEndpoint__Output>
      Shards: MessageTypeDefinition<_lockstep_v1_Shards, _lockstep_v1_Shards__Output>
      TreeNode: MessageTypeDefinition<_lockstep_v1_TreeNode, _lockstep_v1_TreeNode__Output>
      Welcome: MessageTypeDefinition<_lockstep_v1_Welcome, _lockstep_v1_Welcome__Output>
      WorkerMessage: MessageTypeDefinition<_lockstep_v1_WorkerMessage, _lockstep_v1_WorkerMessage__Output>
    }
  }
}

