// Original file: proto/lockstep/v1/coordinator.proto

import type { Long } from '@grpc/proto-loader';

export interface BlockReference {
  'sha256'?: (string);
  'numBytes'?: (number | string | Long);
  'path'?: (string);
}

export interface BlockReference__Output {
  'sha256': (string);
  'numBytes': (number);
  'path': (string);
}
