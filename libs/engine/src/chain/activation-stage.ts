import type { Handle } from '../native-ops.ts';
import type { OpAttributes } from '../native-backend.ts';
import type { Stage } from './stage.ts';

/** Activations whose gradient is one op of TensorFlow's: of the output `y` and the gradient `dy` there. */
const OPS = {
  relu: { forward: 'Relu', backward: 'ReluGrad', inputs: (y: Handle, dy: Handle) => [dy, y] },
  tanh: { forward: 'Tanh', backward: 'TanhGrad', inputs: (y: Handle, dy: Handle) => [y, dy] },
  sigmoid: { forward: 'Sigmoid', backward: 'SigmoidGrad', inputs: (y: Handle, dy: Handle) => [y, dy] },
  elu: { forward: 'Elu', backward: 'EluGrad', inputs: (y: Handle, dy: Handle) => [dy, y] },
} as const;

export type ChainActivation = keyof typeof OPS;

export function isChainActivation(name: unknown): name is ChainActivation {
  return typeof name === 'string' && name in OPS;
}

export function activationStage(attribute: OpAttributes, name: ChainActivation): Stage {
  const { forward, backward, inputs } = OPS[name];
  const attributes = [attribute.type('T', 'TF_FLOAT')];
  let y: Handle;
  return {
    forward: ({ ops }, x) => (y = ops.run(forward, attributes, [x])),
    backward: ({ ops }, dy) => ops.run(backward, attributes, inputs(y, dy)),
  };
}
