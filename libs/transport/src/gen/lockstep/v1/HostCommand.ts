// Original file: proto/lockstep/v1/coordinator.proto

import type { HostWelcome as _lockstep_v1_HostWelcome, HostWelcome__Output as _lockstep_v1_HostWelcome__Output } from '../../lockstep/v1/HostWelcome.ts';
import type { Refusal as _lockstep_v1_Refusal, Refusal__Output as _lockstep_v1_Refusal__Output } from '../../lockstep/v1/Refusal.ts';
import type { StartShard as _lockstep_v1_StartShard, StartShard__Output as _lockstep_v1_StartShard__Output } from '../../lockstep/v1/StartShard.ts';
import type { Peers as _lockstep_v1_Peers, Peers__Output as _lockstep_v1_Peers__Output } from '../../lockstep/v1/Peers.ts';
import type { Replicate as _lockstep_v1_Replicate, Replicate__Output as _lockstep_v1_Replicate__Output } from '../../lockstep/v1/Replicate.ts';
import type { Promote as _lockstep_v1_Promote, Promote__Output as _lockstep_v1_Promote__Output } from '../../lockstep/v1/Promote.ts';
import type { DropShards as _lockstep_v1_DropShards, DropShards__Output as _lockstep_v1_DropShards__Output } from '../../lockstep/v1/DropShards.ts';
import type { CoverageRequest as _lockstep_v1_CoverageRequest, CoverageRequest__Output as _lockstep_v1_CoverageRequest__Output } from '../../lockstep/v1/CoverageRequest.ts';
import type { Acknowledge as _lockstep_v1_Acknowledge, Acknowledge__Output as _lockstep_v1_Acknowledge__Output } from '../../lockstep/v1/Acknowledge.ts';
import type { SnapshotAt as _lockstep_v1_SnapshotAt, SnapshotAt__Output as _lockstep_v1_SnapshotAt__Output } from '../../lockstep/v1/SnapshotAt.ts';
import type { Heartbeat as _lockstep_v1_Heartbeat, Heartbeat__Output as _lockstep_v1_Heartbeat__Output } from '../../lockstep/v1/Heartbeat.ts';
import type { Finish as _lockstep_v1_Finish, Finish__Output as _lockstep_v1_Finish__Output } from '../../lockstep/v1/Finish.ts';

export interface HostCommand {
  'welcome'?: (_lockstep_v1_HostWelcome | null);
  'refusal'?: (_lockstep_v1_Refusal | null);
  'startShard'?: (_lockstep_v1_StartShard | null);
  'peers'?: (_lockstep_v1_Peers | null);
  'replicate'?: (_lockstep_v1_Replicate | null);
  'promote'?: (_lockstep_v1_Promote | null);
  'drop'?: (_lockstep_v1_DropShards | null);
  'coverage'?: (_lockstep_v1_CoverageRequest | null);
  'acknowledge'?: (_lockstep_v1_Acknowledge | null);
  'snapshotAt'?: (_lockstep_v1_SnapshotAt | null);
  'heartbeat'?: (_lockstep_v1_Heartbeat | null);
  'finish'?: (_lockstep_v1_Finish | null);
  'message'?: "welcome"|"refusal"|"startShard"|"peers"|"replicate"|"promote"|"drop"|"coverage"|"acknowledge"|"snapshotAt"|"heartbeat"|"finish";
}

export interface HostCommand__Output {
  'welcome'?: (_lockstep_v1_HostWelcome__Output | null);
  'refusal'?: (_lockstep_v1_Refusal__Output | null);
  'startShard'?: (_lockstep_v1_StartShard__Output | null);
  'peers'?: (_lockstep_v1_Peers__Output | null);
  'replicate'?: (_lockstep_v1_Replicate__Output | null);
  'promote'?: (_lockstep_v1_Promote__Output | null);
  'drop'?: (_lockstep_v1_DropShards__Output | null);
  'coverage'?: (_lockstep_v1_CoverageRequest__Output | null);
  'acknowledge'?: (_lockstep_v1_Acknowledge__Output | null);
  'snapshotAt'?: (_lockstep_v1_SnapshotAt__Output | null);
  'heartbeat'?: (_lockstep_v1_Heartbeat__Output | null);
  'finish'?: (_lockstep_v1_Finish__Output | null);
  'message'?: "welcome"|"refusal"|"startShard"|"peers"|"replicate"|"promote"|"drop"|"coverage"|"acknowledge"|"snapshotAt"|"heartbeat"|"finish";
}
