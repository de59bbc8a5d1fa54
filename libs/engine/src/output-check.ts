import { LockstepError, type LossConfig } from '@lockstep/core';
import type { LayersModel } from '@tensorflow/tfjs';

/** @throws LockstepError `config` when a model's inputs or outputs are not what the loss needs. */
export function checkOutputs(model: LayersModel, loss: LossConfig, numClasses: number): void {
  const [input, output] = [model.inputs[0], model.outputs[0]];
  if (input === undefined || output === undefined || model.inputs.length + model.outputs.length > 2) {
    throw new LockstepError('config', `model: has ${model.inputs.length} inputs and ${model.outputs.length} outputs, expected one of each`);
  }
  if (output.shape.length !== 2 || output.shape[1] !== numClasses) {
    throw new LockstepError('config', `model: its output has shape [${output.shape.map((size) => size ?? 'n').join(', ')}], expected [n, ${numClasses}] (one value a class)`);
  }
  if (input.shape.slice(1).some((size) => size === null)) {
    throw new LockstepError('config', `model: its input has shape [${input.shape.map((size) => size ?? 'n').join(', ')}], expected all sizes but the first to be fixed`);
  }
  if (loss.kind === 'crossEntropy') checkActivation(finalActivation(model), loss.fromLogits);
}

function checkActivation(activation: string | null, fromLogits: boolean): void {
  if (fromLogits && (activation === 'softmax' || activation === 'sigmoid')) {
    throw new LockstepError('config', `loss.fromLogits: true, but the model ends in '${activation}', so its outputs are probabilities`, {
      hint: "Set loss.fromLogits to false, or (faster and more exact) leave out the model's last activation.",
    });
  }
  if (!fromLogits && activation === 'linear') {
    throw new LockstepError('config', 'loss.fromLogits: false, but the model ends without an activation, so its outputs are logits', {
      hint: "Set loss.fromLogits to true, or end the model in 'softmax'.",
    });
  }
}

/** The activation of the layer that gives the model's output, or null where the layer does not tell. */
function finalActivation(model: LayersModel): string | null {
  const layer = model.outputs[0]!.sourceLayer;
  if (layer.getClassName() === 'Softmax') return 'softmax';
  const { activation } = layer.getConfig();
  return typeof activation === 'string' ? activation : null;
}
