// Original file: proto/lockstep/v1/coordinator.proto


export interface BlockChunk {
  'data'?: (Buffer | Uint8Array | string);
}

export interface BlockChunk__Output {
  'data': (Buffer);
}
