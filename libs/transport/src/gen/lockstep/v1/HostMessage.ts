// Original file: proto/lockstep/v1/coordinator.proto

import type { HostHello as _lockstep_v1_HostHello, HostHello__Output as _lockstep_v1_HostHello__Output } from '../../lockstep/v1/HostHello.ts';
import type { Heartbeat as _lockstep_v1_Heartbeat, Heartbeat__Output as _lockstep_v1_Heartbeat__Output } from '../../lockstep/v1/Heartbeat.ts';
import type { ShardReady as _lockstep_v1_ShardReady, ShardReady__Output as _lockstep_v1_ShardReady__Output } from '../../lockstep/v1/ShardReady.ts';
import type { StepsFinished as _lockstep_v1_StepsFinished, StepsFinished__Output as _lockstep_v1_StepsFinished__Output } from '../../lockstep/v1/StepsFinished.ts';
import type { ShardSnapshot as _lockstep_v1_ShardSnapshot, ShardSnapshot__Output as _lockstep_v1_ShardSnapshot__Output } from '../../lockstep/v1/ShardSnapshot.ts';
import type { Coverage as _lockstep_v1_Coverage, Coverage__Output as _lockstep_v1_Coverage__Output } from '../../lockstep/v1/Coverage.ts';
import type { ReplicaState as _lockstep_v1_ReplicaState, ReplicaState__Output as _lockstep_v1_ReplicaState__Output } from '../../lockstep/v1/ReplicaState.ts';
import type { ShardFailed as _lockstep_v1_ShardFailed, ShardFailed__Output as _lockstep_v1_ShardFailed__Output } from '../../lockstep/v1/ShardFailed.ts';
import type { Leave as _lockstep_v1_Leave, Leave__Output as _lockstep_v1_Leave__Output } from '../../lockstep/v1/Leave.ts';
import type { HostNote as _lockstep_v1_HostNote, HostNote__Output as _lockstep_v1_HostNote__Output } from '../../lockstep/v1/HostNote.ts';

export interface HostMessage {
  'hello'?: (_lockstep_v1_HostHello | null);
  'heartbeat'?: (_lockstep_v1_Heartbeat | null);
  'shardReady'?: (_lockstep_v1_ShardReady | null);
  'stepsFinished'?: (_lockstep_v1_StepsFinished | null);
  'snapshot'?: (_lockstep_v1_ShardSnapshot | null);
  'coverage'?: (_lockstep_v1_Coverage | null);
  'replicaState'?: (_lockstep_v1_ReplicaState | null);
  'shardFailed'?: (_lockstep_v1_ShardFailed | null);
  'leave'?: (_lockstep_v1_Leave | null);
  'note'?: (_lockstep_v1_HostNote | null);
  'message'?: "hello"|"heartbeat"|"shardReady"|"stepsFinished"|"snapshot"|"coverage"|"replicaState"|"shardFailed"|"leave"|"note";
}

export interface HostMessage__Output {
  'hello'?: (_lockstep_v1_HostHello__Output | null);
  'heartbeat'?: (_lockstep_v1_Heartbeat__Output | null);
  'shardReady'?: (_lockstep_v1_ShardReady__Output | null);
  'stepsFinished'?: (_lockstep_v1_StepsFinished__Output | null);
  'snapshot'?: (_lockstep_v1_ShardSnapshot__Output | null);
  'coverage'?: (_lockstep_v1_Coverage__Output | null);
  'replicaState'?: (_lockstep_v1_ReplicaState__Output | null);
  'shardFailed'?: (_lockstep_v1_ShardFailed__Output | null);
  'leave'?: (_lockstep_v1_Leave__Output | null);
  'note'?: (_lockstep_v1_HostNote__Output | null);
  'message'?: "hello"|"heartbeat"|"shardReady"|"stepsFinished"|"snapshot"|"coverage"|"replicaState"|"shardFailed"|"leave"|"note";
}
