// Original file: proto/lockstep/v1/coordinator.proto


export interface Heartbeat {
}

export interface Heartbeat__Output {
}
