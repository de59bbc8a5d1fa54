// Original file: proto/lockstep/v1/coordinator.proto

import type { Hello as _lockstep_v1_Hello, Hello__Output as _lockstep_v1_Hello__Output } from '../../lockstep/v1/Hello.ts';
import type { ModelReady as _lockstep_v1_ModelReady, ModelReady__Output as _lockstep_v1_ModelReady__Output } from '../../lockstep/v1/ModelReady.ts';
import type { WorkerHeartbeat as _lockstep_v1_WorkerHeartbeat, WorkerHeartbeat__Output as _lockstep_v1_WorkerHeartbeat__Output } from '../../lockstep/v1/WorkerHeartbeat.ts';
import type { EvaluationPart as _lockstep_v1_EvaluationPart, EvaluationPart__Output as _lockstep_v1_EvaluationPart__Output } from '../../lockstep/v1/EvaluationPart.ts';
import type { Failure as _lockstep_v1_Failure, Failure__Output as _lockstep_v1_Failure__Output } from '../../lockstep/v1/Failure.ts';
import type { Leave as _lockstep_v1_Leave, Leave__Output as _lockstep_v1_Leave__Output } from '../../lockstep/v1/Leave.ts';
import type { RelayReady as _lockstep_v1_RelayReady, RelayReady__Output as _lockstep_v1_RelayReady__Output } from '../../lockstep/v1/RelayReady.ts';
import type { BlockReference as _lockstep_v1_BlockReference, BlockReference__Output as _lockstep_v1_BlockReference__Output } from '../../lockstep/v1/BlockReference.ts';

export interface WorkerMessage {
  'hello'?: (_lockstep_v1_Hello | null);
  'modelReady'?: (_lockstep_v1_ModelReady | null);
  'heartbeat'?: (_lockstep_v1_WorkerHeartbeat | null);
  'evaluationPart'?: (_lockstep_v1_EvaluationPart | null);
  'failure'?: (_lockstep_v1_Failure | null);
  'leave'?: (_lockstep_v1_Leave | null);
  'relayReady'?: (_lockstep_v1_RelayReady | null);
  'frozenValues'?: (_lockstep_v1_BlockReference | null);
  'message'?: "hello"|"modelReady"|"heartbeat"|"evaluationPart"|"failure"|"leave"|"relayReady"|"frozenValues";
}

export interface WorkerMessage__Output {
  'hello'?: (_lockstep_v1_Hello__Output | null);
  'modelReady'?: (_lockstep_v1_ModelReady__Output | null);
  'heartbeat'?: (_lockstep_v1_WorkerHeartbeat__Output | null);
  'evaluationPart'?: (_lockstep_v1_EvaluationPart__Output | null);
  'failure'?: (_lockstep_v1_Failure__Output | null);
  'leave'?: (_lockstep_v1_Leave__Output | null);
  'relayReady'?: (_lockstep_v1_RelayReady__Output | null);
  'frozenValues'?: (_lockstep_v1_BlockReference__Output | null);
  'message'?: "hello"|"modelReady"|"heartbeat"|"evaluationPart"|"failure"|"leave"|"relayReady"|"frozenValues";
}
