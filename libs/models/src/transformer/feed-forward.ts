import type { Tensor } from '@tensorflow/tfjs';
import { geluActivation, swigluActivation, type Activation, type ActivationSaved } from './activation.ts';
import { linearStage, type LinearSaved } from './linear.ts';
import type { Stage, StageContext } from './stage.ts';

export type FeedForwardSaved = { readonly activation: ActivationSaved; readonly inputs: readonly LinearSaved[]; readonly down: LinearSaved };

/** Two linear layers with an activation between them; `swiglu` has two of them side by side before it. */
export function feedForwardStage(context: StageContext, name: string): Stage<FeedForwardSaved> {
  const gated = context.architecture.activation === 'swiglu';
  const activation: Activation = gated ? swigluActivation(context) : geluActivation(context);
  const inputs = (gated ? ['gate', 'up'] : ['up']).map((which) => linearStage(context, `${name}.${which}_proj`));
  const down = linearStage(context, `${name}.down_proj`);
  return {
    forward(pass, x) {
      const entered = inputs.map((linear) => linear.forward(pass, x));
      const activated = activation.forward(entered.map(({ y }) => y));
      const out = down.forward(pass, activated.y);
      return { y: out.y, saved: { activation: activated.saved, inputs: entered.map(({ saved }) => saved), down: out.saved } };
    },
    backward(pass, saved, dy, gradients) {
      const dInputs = activation.backward(saved.activation, down.backward(pass, saved.down, dy, gradients));
      const contributions = inputs.map((linear, index) => linear.backward(pass, saved.inputs[index]!, dInputs[index]!, gradients));
      return contributions.reduce((sum: Tensor, next) => context.engine.tf.add(sum, next));
    },
  };
}
