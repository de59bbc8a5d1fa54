// Original file: proto/lockstep/v1/coordinator.proto

import type { BlockReference as _lockstep_v1_BlockReference, BlockReference__Output as _lockstep_v1_BlockReference__Output } from '../../lockstep/v1/BlockReference.ts';

export interface Welcome {
  'rank'?: (number);
  'configJson'?: (string);
  'numericsJson'?: (string);
  'dataset'?: (_lockstep_v1_BlockReference | null);
  'modelBundle'?: (string);
  'modelBundleSha256'?: (string);
  'runId'?: (string);
}

export interface Welcome__Output {
  'rank': (number);
  'configJson': (string);
  'numericsJson': (string);
  'dataset': (_lockstep_v1_BlockReference__Output | null);
  'modelBundle': (string);
  'modelBundleSha256': (string);
  'runId': (string);
}
