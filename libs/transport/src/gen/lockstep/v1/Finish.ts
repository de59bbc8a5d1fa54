// Original file: proto/lockstep/v1/coordinator.proto


export interface Finish {
}

export interface Finish__Output {
}
