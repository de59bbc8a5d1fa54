// Original file: proto/lockstep/v1/coordinator.proto


export interface Leave {
}

export interface Leave__Output {
}
