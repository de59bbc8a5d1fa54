// Original file: proto/lockstep/v1/coordinator.proto

import type { Long } from '@grpc/proto-loader';

export interface ShardEndpoint {
  'unixAddress'?: (string);
  'tcpAddress'?: (string);
  'from'?: (number | string | Long);
  'to'?: (number | string | Long);
}

export interface ShardEndpoint__Output {
  'unixAddress': (string);
  'tcpAddress': (string);
  'from': (number);
  'to': (number);
}
