import type { OpAttributes } from '../native-backend.ts';
import type { Handle } from '../native-ops.ts';
import type { Stage } from './stage.ts';

/** Dropout by TensorFlow's counter-based generator: a pure function of the pass's seed and `draw`, the stage's number. */
export function dropoutStage(attribute: OpAttributes, rate: number, shape: readonly number[], draw: number): Stage {
  const float = [attribute.type('T', 'TF_FLOAT')];
  const uniform = [attribute.type('dtype', 'TF_FLOAT'), attribute.type('T', 'TF_INT32'), attribute.type('Tseed', 'TF_INT32')];
  const toFloat = [attribute.type('SrcT', 'TF_BOOL'), attribute.type('DstT', 'TF_FLOAT')];
  let scales: Handle | null = null;
  return {
    forward({ ops, training, seed, numExamples }, x) {
      scales = null;
      if (!training) return x;
      const draws = ops.run('StatelessRandomUniform', uniform, [ops.ints(Int32Array.of(numExamples, ...shape)), ops.ints(Int32Array.of(seed, draw))]);
      const kept = ops.run('GreaterEqual', float, [draws, ops.floats(Float32Array.of(rate), [])]);
      scales = ops.run('Mul', float, [ops.run('Cast', toFloat, [kept]), ops.floats(Float32Array.of(1 / (1 - rate)), [])]);
      return ops.run('Mul', float, [x, scales]);
    },
    backward: ({ ops }, dy) => (scales === null ? dy : ops.run('Mul', float, [dy, scales])),
  };
}
