import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs';

type Layer = LayersModel['layers'][number];

/** What comes out of the last layer when `x` goes through all of them, one after another. */
export function chain(x: SymbolicTensor, ...layers: readonly Layer[]): SymbolicTensor {
  return layers.reduce((input, layer) => layer.apply(input) as SymbolicTensor, x);
}
