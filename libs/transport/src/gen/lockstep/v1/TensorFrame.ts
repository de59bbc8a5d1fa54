// Original file: proto/lockstep/v1/parameter_server.proto


export interface TensorFrame {
}

export interface TensorFrame__Output {
}
