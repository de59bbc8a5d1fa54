import protobuf from 'protobufjs';

/**
 * The part of TensorFlow's event messages that scalars need, with its field numbers:
 * tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
 */
const SCHEMA = `
  syntax = "proto3";
  package tensorflow;
  message Event {
    double wall_time = 1;
    int64 step = 2;
    string file_version = 3;
    Summary summary = 5;
  }
  message Summary {
    message Value {
      string tag = 1;
      oneof value { float simple_value = 2; }
    }
    repeated Value value = 1;
  }
`;

/** Encodes and decodes one TensorBoard event: seconds since 1970, the step (x), and named scalars. */
export const EventMessage = protobuf.parse(SCHEMA, { keepCase: false }).root.lookupType('tensorflow.Event');

export interface ScalarEvent {
  readonly wallTime: number;
  readonly step?: number;
  /** `brain.Event:2`, in the first record of a file only. */
  readonly fileVersion?: string;
  readonly summary?: { readonly value: readonly { readonly tag: string; readonly simpleValue: number }[] };
}
