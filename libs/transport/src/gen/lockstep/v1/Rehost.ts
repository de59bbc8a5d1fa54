// Original file: proto/lockstep/v1/coordinator.proto

import type { HostedShard as _lockstep_v1_HostedShard, HostedShard__Output as _lockstep_v1_HostedShard__Output } from '../../lockstep/v1/HostedShard.ts';

export interface Rehost {
  'runId'?: (string);
  'host'?: (number);
  'shards'?: (_lockstep_v1_HostedShard)[];
}

export interface Rehost__Output {
  'runId': (string);
  'host': (number);
  'shards': (_lockstep_v1_HostedShard__Output)[];
}
