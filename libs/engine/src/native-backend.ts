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
    readonly TF_BOOL: number;
    createTensor(shape: readonly number[], dtype: number, values: Float32Array | Int32Array): number;
    executeOp(op: string, attributes: readonly OpAttribute[], inputs: readonly number[], numOutputs: number): { readonly id: number }[];
    tensorDataSync(tensor: number): Float32Array | Int32Array;
    deleteTensor(tensor: number): void;
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

/** Makes attributes of an op with a backend's type numbers. */
export class OpAttributes {
  readonly #binding: NativeBackend['binding'];

  constructor(backend: NativeBackend) {
    this.#binding = backend.binding;
  }

  type(name: string, type: 'TF_FLOAT' | 'TF_INT32' | 'TF_INT64' | 'TF_BOOL'): OpAttribute {
    return { name, type: this.#binding.TF_ATTR_TYPE, value: this.#binding[type] };
  }

  ints(name: string, value: readonly number[]): OpAttribute {
    return { name, type: this.#binding.TF_ATTR_INT, value };
  }

  string(name: string, value: string): OpAttribute {
    return { name, type: this.#binding.TF_ATTR_STRING, value };
  }

  bool(name: string, value: boolean): OpAttribute {
    return { name, type: this.#binding.TF_ATTR_BOOL, value };
  }
}
