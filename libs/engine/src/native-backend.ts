import type { Tensor, TensorInfo } from '@tensorflow/tfjs';
import type { Engine, Tf } from './engine.ts';

/** An attribute of a TensorFlow op, as the binding takes it. */
export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** What we use of tfjs-node's backend: TensorFlow's own ops by name. */
export interface NativeBackend {
  readonly binding: {
    readonly TF_Version: string;
    readonly TF_ATTR_TYPE: number;
    readonly TF_ATTR_INT: number;
    readonly TF_ATTR_STRING: number;
    readonly TF_ATTR_BOOL: number;
    readonly TF_FLOAT: number;
    readonly TF_INT32: number;
    readonly TF_INT64: number;
  };
  readonly isUsingGpuDevice: boolean;
  /** A new tensor, tracked by the current tidy scope. */
  executeSingleOutput(op: string, attributes: readonly OpAttribute[], inputs: readonly TensorInfo[]): Tensor;
  executeMultipleOutputs(op: string, attributes: readonly OpAttribute[], inputs: readonly TensorInfo[], numOutputs: number): Tensor[];
}

/** The native backend of an engine, or null where it computes in JavaScript. */
export function nativeBackendOf(engine: Engine): NativeBackend | null {
  return engine.numerics.device === 'javascript' ? null : activeBackend(engine.tf);
}

export function activeBackend(tf: Tf): NativeBackend {
  return tf.backend() as unknown as NativeBackend;
}

export function typeAttribute(backend: NativeBackend, name: string, type: 'TF_FLOAT' | 'TF_INT32' | 'TF_INT64'): OpAttribute {
  return { name, type: backend.binding.TF_ATTR_TYPE, value: backend.binding[type] };
}
