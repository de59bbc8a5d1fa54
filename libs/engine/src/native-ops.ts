import type { NativeBackend, OpAttribute } from './native-backend.ts';

/** A tensor inside the native library, by its number. */
export type Handle = number & { readonly __brand: 'Handle' };

/**
 * TensorFlow's ops without TensorFlow.js around them: no tape, no reference counts, half the time a call.
 * Every tensor made inside `scoped` is freed at its end.
 */
export class NativeOps {
  readonly #binding: NativeBackend['binding'];
  #scope: Handle[] | null = null;

  constructor(backend: NativeBackend) {
    this.#binding = backend.binding;
  }

  run(op: string, attributes: readonly OpAttribute[], inputs: readonly Handle[]): Handle {
    return this.#own(this.#binding.executeOp(op, attributes, inputs, 1)[0]!.id as Handle);
  }

  runTwo(op: string, attributes: readonly OpAttribute[], inputs: readonly Handle[]): [Handle, Handle] {
    const [first, second] = this.#binding.executeOp(op, attributes, inputs, 2);
    return [this.#own(first!.id as Handle), this.#own(second!.id as Handle)];
  }

  /** Without a copy where `values` lie on a 64-byte boundary: nobody writes them while the tensor lives. */
  floats(values: Float32Array, shape: readonly number[]): Handle {
    return this.#own(this.#binding.createTensor(shape, this.#binding.TF_FLOAT, values) as Handle);
  }

  ints(values: Int32Array, shape: readonly number[] = [values.length]): Handle {
    return this.#own(this.#binding.createTensor(shape, this.#binding.TF_INT32, values) as Handle);
  }

  /** A copy of a float tensor's values. */
  read(tensor: Handle): Float32Array {
    return this.#binding.tensorDataSync(tensor) as Float32Array;
  }

  /** Frees a tensor that was made outside a scope. */
  free(tensor: Handle): void {
    this.#binding.deleteTensor(tensor);
  }

  scoped<Result>(compute: () => Result): Result {
    const made: Handle[] = [];
    this.#scope = made;
    try {
      return compute();
    } finally {
      this.#scope = null;
      for (const tensor of made) this.#binding.deleteTensor(tensor);
    }
  }

  #own(tensor: Handle): Handle {
    this.#scope?.push(tensor);
    return tensor;
  }
}
