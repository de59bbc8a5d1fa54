// Original file: proto/lockstep/v1/coordinator.proto

import type { Welcome as _lockstep_v1_Welcome, Welcome__Output as _lockstep_v1_Welcome__Output } from '../../lockstep/v1/Welcome.ts';
import type { Refusal as _lockstep_v1_Refusal, Refusal__Output as _lockstep_v1_Refusal__Output } from '../../lockstep/v1/Refusal.ts';
import type { Placement as _lockstep_v1_Placement, Placement__Output as _lockstep_v1_Placement__Output } from '../../lockstep/v1/Placement.ts';
import type { Assignment as _lockstep_v1_Assignment, Assignment__Output as _lockstep_v1_Assignment__Output } from '../../lockstep/v1/Assignment.ts';
import type { Evaluate as _lockstep_v1_Evaluate, Evaluate__Output as _lockstep_v1_Evaluate__Output } from '../../lockstep/v1/Evaluate.ts';
import type { Heartbeat as _lockstep_v1_Heartbeat, Heartbeat__Output as _lockstep_v1_Heartbeat__Output } from '../../lockstep/v1/Heartbeat.ts';
import type { Finish as _lockstep_v1_Finish, Finish__Output as _lockstep_v1_Finish__Output } from '../../lockstep/v1/Finish.ts';
import type { Extra as _lockstep_v1_Extra, Extra__Output as _lockstep_v1_Extra__Output } from '../../lockstep/v1/Extra.ts';
import type { Relay as _lockstep_v1_Relay, Relay__Output as _lockstep_v1_Relay__Output } from '../../lockstep/v1/Relay.ts';
import type { SendFrozen as _lockstep_v1_SendFrozen, SendFrozen__Output as _lockstep_v1_SendFrozen__Output } from '../../lockstep/v1/SendFrozen.ts';

export interface CoordinatorMessage {
  'welcome'?: (_lockstep_v1_Welcome | null);
  'refusal'?: (_lockstep_v1_Refusal | null);
  'placement'?: (_lockstep_v1_Placement | null);
  'assignment'?: (_lockstep_v1_Assignment | null);
  'evaluate'?: (_lockstep_v1_Evaluate | null);
  'heartbeat'?: (_lockstep_v1_Heartbeat | null);
  'finish'?: (_lockstep_v1_Finish | null);
  'extra'?: (_lockstep_v1_Extra | null);
  'relay'?: (_lockstep_v1_Relay | null);
  'sendFrozen'?: (_lockstep_v1_SendFrozen | null);
  'message'?: "welcome"|"refusal"|"placement"|"assignment"|"evaluate"|"heartbeat"|"finish"|"extra"|"relay"|"sendFrozen";
}

export interface CoordinatorMessage__Output {
  'welcome'?: (_lockstep_v1_Welcome__Output | null);
  'refusal'?: (_lockstep_v1_Refusal__Output | null);
  'placement'?: (_lockstep_v1_Placement__Output | null);
  'assignment'?: (_lockstep_v1_Assignment__Output | null);
  'evaluate'?: (_lockstep_v1_Evaluate__Output | null);
  'heartbeat'?: (_lockstep_v1_Heartbeat__Output | null);
  'finish'?: (_lockstep_v1_Finish__Output | null);
  'extra'?: (_lockstep_v1_Extra__Output | null);
  'relay'?: (_lockstep_v1_Relay__Output | null);
  'sendFrozen'?: (_lockstep_v1_SendFrozen__Output | null);
  'message'?: "welcome"|"refusal"|"placement"|"assignment"|"evaluate"|"heartbeat"|"finish"|"extra"|"relay"|"sendFrozen";
}
