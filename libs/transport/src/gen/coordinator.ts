import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Acknowledge as _lockstep_v1_Acknowledge, Acknowledge__Output as _lockstep_v1_Acknowledge__Output } from './lockstep/v1/Acknowledge.ts';
import type { Assignment as _lockstep_v1_Assignment, Assignment__Output as _lockstep_v1_Assignment__Output } from './lockstep/v1/Assignment.ts';
import type { BlockChunk as _lockstep_v1_BlockChunk, BlockChunk__Output as _lockstep_v1_BlockChunk__Output } from './lockstep/v1/BlockChunk.ts';
import type { BlockReference as _lockstep_v1_BlockReference, BlockReference__Output as _lockstep_v1_BlockReference__Output } from './lockstep/v1/BlockReference.ts';
import type { BlockRequest as _lockstep_v1_BlockRequest, BlockRequest__Output as _lockstep_v1_BlockRequest__Output } from './lockstep/v1/BlockRequest.ts';
import type { Capabilities as _lockstep_v1_Capabilities, Capabilities__Output as _lockstep_v1_Capabilities__Output } from './lockstep/v1/Capabilities.ts';
import type { CoordinatorClient as _lockstep_v1_CoordinatorClient, CoordinatorDefinition as _lockstep_v1_CoordinatorDefinition } from './lockstep/v1/Coordinator.ts';
import type { CoordinatorMessage as _lockstep_v1_CoordinatorMessage, CoordinatorMessage__Output as _lockstep_v1_CoordinatorMessage__Output } from './lockstep/v1/CoordinatorMessage.ts';
import type { Coverage as _lockstep_v1_Coverage, Coverage__Output as _lockstep_v1_Coverage__Output } from './lockstep/v1/Coverage.ts';
import type { CoverageRequest as _lockstep_v1_CoverageRequest, CoverageRequest__Output as _lockstep_v1_CoverageRequest__Output } from './lockstep/v1/CoverageRequest.ts';
import type { DropShards as _lockstep_v1_DropShards, DropShards__Output as _lockstep_v1_DropShards__Output } from './lockstep/v1/DropShards.ts';
import type { Evaluate as _lockstep_v1_Evaluate, Evaluate__Output as _lockstep_v1_Evaluate__Output } from './lockstep/v1/Evaluate.ts';
import type { EvaluationPart as _lockstep_v1_EvaluationPart, EvaluationPart__Output as _lockstep_v1_EvaluationPart__Output } from './lockstep/v1/EvaluationPart.ts';
import type { Extra as _lockstep_v1_Extra, Extra__Output as _lockstep_v1_Extra__Output } from './lockstep/v1/Extra.ts';
import type { Failure as _lockstep_v1_Failure, Failure__Output as _lockstep_v1_Failure__Output } from './lockstep/v1/Failure.ts';
import type { Finish as _lockstep_v1_Finish, Finish__Output as _lockstep_v1_Finish__Output } from './lockstep/v1/Finish.ts';
import type { FinishedStep as _lockstep_v1_FinishedStep, FinishedStep__Output as _lockstep_v1_FinishedStep__Output } from './lockstep/v1/FinishedStep.ts';
import type { Heartbeat as _lockstep_v1_Heartbeat, Heartbeat__Output as _lockstep_v1_Heartbeat__Output } from './lockstep/v1/Heartbeat.ts';
import type { Hello as _lockstep_v1_Hello, Hello__Output as _lockstep_v1_Hello__Output } from './lockstep/v1/Hello.ts';
import type { HostCommand as _lockstep_v1_HostCommand, HostCommand__Output as _lockstep_v1_HostCommand__Output } from './lockstep/v1/HostCommand.ts';
import type { HostHello as _lockstep_v1_HostHello, HostHello__Output as _lockstep_v1_HostHello__Output } from './lockstep/v1/HostHello.ts';
import type { HostMessage as _lockstep_v1_HostMessage, HostMessage__Output as _lockstep_v1_HostMessage__Output } from './lockstep/v1/HostMessage.ts';
import type { HostNote as _lockstep_v1_HostNote, HostNote__Output as _lockstep_v1_HostNote__Output } from './lockstep/v1/HostNote.ts';
import type { HostWelcome as _lockstep_v1_HostWelcome, HostWelcome__Output as _lockstep_v1_HostWelcome__Output } from './lockstep/v1/HostWelcome.ts';
import type { HostedShard as _lockstep_v1_HostedShard, HostedShard__Output as _lockstep_v1_HostedShard__Output } from './lockstep/v1/HostedShard.ts';
import type { Leave as _lockstep_v1_Leave, Leave__Output as _lockstep_v1_Leave__Output } from './lockstep/v1/Leave.ts';
import type { ModelReady as _lockstep_v1_ModelReady, ModelReady__Output as _lockstep_v1_ModelReady__Output } from './lockstep/v1/ModelReady.ts';
import type { ParameterSpec as _lockstep_v1_ParameterSpec, ParameterSpec__Output as _lockstep_v1_ParameterSpec__Output } from './lockstep/v1/ParameterSpec.ts';
import type { Peers as _lockstep_v1_Peers, Peers__Output as _lockstep_v1_Peers__Output } from './lockstep/v1/Peers.ts';
import type { Placement as _lockstep_v1_Placement, Placement__Output as _lockstep_v1_Placement__Output } from './lockstep/v1/Placement.ts';
import type { Promote as _lockstep_v1_Promote, Promote__Output as _lockstep_v1_Promote__Output } from './lockstep/v1/Promote.ts';
import type { Refusal as _lockstep_v1_Refusal, Refusal__Output as _lockstep_v1_Refusal__Output } from './lockstep/v1/Refusal.ts';
import type { Rehost as _lockstep_v1_Rehost, Rehost__Output as _lockstep_v1_Rehost__Output } from './lockstep/v1/Rehost.ts';
import type { Rejoin as _lockstep_v1_Rejoin, Rejoin__Output as _lockstep_v1_Rejoin__Output } from './lockstep/v1/Rejoin.ts';
import type { Relay as _lockstep_v1_Relay, Relay__Output as _lockstep_v1_Relay__Output } from './lockstep/v1/Relay.ts';
import type { RelayReady as _lockstep_v1_RelayReady, RelayReady__Output as _lockstep_v1_RelayReady__Output } from './lockstep/v1/RelayReady.ts';
import type { ReplicaState as _lockstep_v1_ReplicaState, ReplicaState__Output as _lockstep_v1_ReplicaState__Output } from './lockstep/v1/ReplicaState.ts';
import type { Replicate as _lockstep_v1_Replicate, Replicate__Output as _lockstep_v1_Replicate__Output } from './lockstep/v1/Replicate.ts';
import type { SendFrozen as _lockstep_v1_SendFrozen, SendFrozen__Output as _lockstep_v1_SendFrozen__Output } from './lockstep/v1/SendFrozen.ts';
import type { ShardCoverage as _lockstep_v1_ShardCoverage, ShardCoverage__Output as _lockstep_v1_ShardCoverage__Output } from './lockstep/v1/ShardCoverage.ts';
import type { ShardEndpoint as _lockstep_v1_ShardEndpoint, ShardEndpoint__Output as _lockstep_v1_ShardEndpoint__Output } from './lockstep/v1/ShardEndpoint.ts';
import type { ShardFailed as _lockstep_v1_ShardFailed, ShardFailed__Output as _lockstep_v1_ShardFailed__Output } from './lockstep/v1/ShardFailed.ts';
import type { ShardReady as _lockstep_v1_ShardReady, ShardReady__Output as _lockstep_v1_ShardReady__Output } from './lockstep/v1/ShardReady.ts';
import type { ShardSnapshot as _lockstep_v1_ShardSnapshot, ShardSnapshot__Output as _lockstep_v1_ShardSnapshot__Output } from './lockstep/v1/ShardSnapshot.ts';
import type { SnapshotAt as _lockstep_v1_SnapshotAt, SnapshotAt__Output as _lockstep_v1_SnapshotAt__Output } from './lockstep/v1/SnapshotAt.ts';
import type { StartShard as _lockstep_v1_StartShard, StartShard__Output as _lockstep_v1_StartShard__Output } from './lockstep/v1/StartShard.ts';
import type { StepsFinished as _lockstep_v1_StepsFinished, StepsFinished__Output as _lockstep_v1_StepsFinished__Output } from './lockstep/v1/StepsFinished.ts';
import type { TreeNode as _lockstep_v1_TreeNode, TreeNode__Output as _lockstep_v1_TreeNode__Output } from './lockstep/v1/TreeNode.ts';
import type { Welcome as _lockstep_v1_Welcome, Welcome__Output as _lockstep_v1_Welcome__Output } from './lockstep/v1/Welcome.ts';
import type { WorkerHeartbeat as _lockstep_v1_WorkerHeartbeat, WorkerHeartbeat__Output as _lockstep_v1_WorkerHeartbeat__Output } from './lockstep/v1/WorkerHeartbeat.ts';
import type { WorkerMessage as _lockstep_v1_WorkerMessage, WorkerMessage__Output as _lockstep_v1_WorkerMessage__Output } from './lockstep/v1/WorkerMessage.ts';
import type { WorkerShare as _lockstep_v1_WorkerShare, WorkerShare__Output as _lockstep_v1_WorkerShare__Output } from './lockstep/v1/WorkerShare.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  lockstep: {
    v1: {
      Acknowledge: MessageTypeDefinition<_lockstep_v1_Acknowledge, _lockstep_v1_Acknowledge__Output>
      Assignment: MessageTypeDefinition<_lockstep_v1_Assignment, _lockstep_v1_Assignment__Output>
      BlockChunk: MessageTypeDefinition<_lockstep_v1_BlockChunk, _lockstep_v1_BlockChunk__Output>
      BlockReference: MessageTypeDefinition<_lockstep_v1_BlockReference, _lockstep_v1_BlockReference__Output>
      BlockRequest: MessageTypeDefinition<_lockstep_v1_BlockRequest, _lockstep_v1_BlockRequest__Output>
      Capabilities: MessageTypeDefinition<_lockstep_v1_Capabilities, _lockstep_v1_Capabilities__Output>
      Coordinator: SubtypeConstructor<typeof grpc.Client, _lockstep_v1_CoordinatorClient> & { service: _lockstep_v1_CoordinatorDefinition }
      CoordinatorMessage: MessageTypeDefinition<_lockstep_v1_CoordinatorMessage, _lockstep_v1_CoordinatorMessage__Output>
      Coverage: MessageTypeDefinition<_lockstep_v1_Coverage, _lockstep_v1_Coverage__Output>
      CoverageRequest: MessageTypeDefinition<_lockstep_v1_CoverageRequest, _lockstep_v1_CoverageRequest__Output>
      DropShards: MessageTypeDefinition<_lockstep_v1_DropShards, _lockstep_v1_DropShards__Output>
      Evaluate: MessageTypeDefinition<_lockstep_v1_Evaluate, _lockstep_v1_Evaluate__Output>
      EvaluationPart: MessageTypeDefinition<_lockstep_v1_EvaluationPart, _lockstep_v1_EvaluationPart__Output>
      Extra: MessageTypeDefinition<_lockstep_v1_Extra, _lockstep_v1_Extra__Output>
      Failure: MessageTypeDefinition<_lockstep_v1_Failure, _lockstep_v1_Failure__Output>
      Finish: MessageTypeDefinition<_lockstep_v1_Finish, _lockstep_v1_Finish__Output>
      FinishedStep: MessageTypeDefinition<_lockstep_v1_FinishedStep, _lockstep_v1_FinishedStep__Output>
      Heartbeat: MessageTypeDefinition<_lockstep_v1_Heartbeat, _lockstep_v1_Heartbeat__Output>
      Hello: MessageTypeDefinition<_lockstep_v1_Hello, _lockstep_v1_Hello__Output>
      HostCommand: MessageTypeDefinition<_lockstep_v1_HostCommand, _lockstep_v1_HostCommand__Output>
      HostHello: MessageTypeDefinition<_lockstep_v1_HostHello, _lockstep_v1_HostHello__Output>
      HostMessage: MessageTypeDefinition<_lockstep_v1_HostMessage, _lockstep_v1_HostMessage__Output>
      HostNote: MessageTypeDefinition<_lockstep_v1_HostNote, _lockstep_v1_HostNote__Output>
      HostWelcome: MessageTypeDefinition<_lockstep_v1_HostWelcome, _lockstep_v1_HostWelcome__Output>
      HostedShard: MessageTypeDefinition<_lockstep_v1_HostedShard, _lockstep_v1_HostedShard__Output>
      Leave: MessageTypeDefinition<_lockstep_v1_Leave, _lockstep_v1_Leave__Output>
      ModelReady: MessageTypeDefinition<_lockstep_v1_ModelReady, _lockstep_v1_ModelReady__Output>
      ParameterSpec: MessageTypeDefinition<_lockstep_v1_ParameterSpec, _lockstep_v1_ParameterSpec__Output>
      Peers: MessageTypeDefinition<_lockstep_v1_Peers, _lockstep_v1_Peers__Output>
      Placement: MessageTypeDefinition<_lockstep_v1_Placement, _lockstep_v1_Placement__Output>
      Promote: MessageTypeDefinition<_lockstep_v1_Promote, _lockstep_v1_Promote__Output>
      Refusal: MessageTypeDefinition<_lockstep_v1_Refusal, _lockstep_v1_Refusal__Output>
      Rehost: MessageTypeDefinition<_lockstep_v1_Rehost, _lockstep_v1_Rehost__Output>
      Rejoin: MessageTypeDefinition<_lockstep_v1_Rejoin, _lockstep_v1_Rejoin__Output>
      Relay: MessageTypeDefinition<_lockstep_v1_Relay, _lockstep_v1_Relay__Output>
      RelayReady: MessageTypeDefinition<_lockstep_v1_RelayReady, _lockstep_v1_RelayReady__Output>
      ReplicaState: MessageTypeDefinition<_lockstep_v1_ReplicaState, _lockstep_v1_ReplicaState__Output>
      Replicate: MessageTypeDefinition<_lockstep_v1_Replicate, _lockstep_v1_Replicate__Output>
      SendFrozen: MessageTypeDefinition<_lockstep_v1_SendFrozen, _lockstep_v1_SendFrozen__Output>
      ShardCoverage: MessageTypeDefinition<_lockstep_v1_ShardCoverage, _lockstep_v1_ShardCoverage__Output>
      ShardEndpoint: MessageTypeDefinition<_lockstep_v1_ShardEndpoint, _lockstep_v1_ShardEndpoint__Output>
      ShardFailed: MessageTypeDefinition<_lockstep_v1_ShardFailed, _lockstep_v1_ShardFailed__Output>
      ShardReady: MessageTypeDefinition<_lockstep_v1_ShardReady, _lockstep_v1_ShardReady__Output>
      ShardSnapshot: MessageTypeDefinition<_lockstep_v1_ShardSnapshot, _lockstep_v1_ShardSnapshot__Output>
      SnapshotAt: MessageTypeDefinition<_lockstep_v1_SnapshotAt, _lockstep_v1_SnapshotAt__Output>
      StartShard: MessageTypeDefinition<_lockstep_v1_StartShard, _lockstep_v1_StartShard__Output>
      StepsFinished: MessageTypeDefinition<_lockstep_v1_StepsFinished, _lockstep_v1_StepsFinished__Output>
      TreeNode: MessageTypeDefinition<_lockstep_v1_TreeNode, _lockstep_v1_TreeNode__Output>
      Welcome: MessageTypeDefinition<_lockstep_v1_Welcome, _lockstep_v1_Welcome__Output>
      WorkerHeartbeat: MessageTypeDefinition<_lockstep_v1_WorkerHeartbeat, _lockstep_v1_WorkerHeartbeat__Output>
      WorkerMessage: MessageTypeDefinition<_lockstep_v1_WorkerMessage, _lockstep_v1_WorkerMessage__Output>
      WorkerShare: MessageTypeDefinition<_lockstep_v1_WorkerShare, _lockstep_v1_WorkerShare__Output>
    }
  }
}

