import type { Handle, NativeOps } from '../native-ops.ts';

/** What a pass gives its stages. */
export interface Pass {
  readonly ops: NativeOps;
  /** The model's parameters, in layout order. */
  readonly parameters: readonly Handle[];
  readonly training: boolean;
  readonly numExamples: number;
  /** The seed of the pass's random draws. */
  readonly seed: number;
}

/** One step of a chain: its forward computation on TensorFlow's ops, and the gradient of it. */
export interface Stage {
  /** From `[n, ...]` to `[n, ...]`; remembers what `backward` needs. */
  forward(pass: Pass, x: Handle): Handle;
  /**
   * From the gradient at the output to the one at the input; puts the gradients of its parameters into `gradients`, in
   * layout order. What it returns is not used where nothing before the stage has parameters: `first` says so.
   */
  backward(pass: Pass, dy: Handle, gradients: Handle[], first: boolean): Handle;
}
