/**
 * One named tensor of a model. Buffers (a BatchNorm's moving statistics) are reduced like gradients but not optimized. What is frozen is as the model
 * function gave it, on every worker, and never travels.
 */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly kind: 'trainable' | 'buffer' | 'frozen';
}

/** A tensor's place in the flat vector, in float32 elements. */
export interface PlacedParameter extends ParameterSpec {
  readonly offset: number;
  readonly length: number;
}

/**
 * How a model's tensors lie in the flat float32 vector: all trainable ones in the model's order, then all buffers.
 * A gradient has the same layout; in the place of a buffer it carries the buffer's delta times the number of examples.
 * Frozen tensors are not in it.
 */
export interface ParameterLayout {
  readonly parameters: readonly PlacedParameter[];
  readonly trainableLength: number;
  readonly totalLength: number;
}

export function layOutParameters(specs: readonly ParameterSpec[]): ParameterLayout {
  return layOut(specs, ['trainable', 'buffer']);
}

/** The frozen tensors alone, in the model's order. */
export function layOutFrozen(specs: readonly ParameterSpec[]): ParameterLayout {
  return layOut(specs, ['frozen']);
}

/** All tensors of a model: as `layOutParameters` has them, then the frozen ones in the model's order. */
export function layOutWholeModel(specs: readonly ParameterSpec[]): ParameterLayout {
  return layOut(specs, ['trainable', 'buffer', 'frozen']);
}

function layOut(specs: readonly ParameterSpec[], kinds: readonly ParameterSpec['kind'][]): ParameterLayout {
  let offset = 0;
  let trainableLength = 0;
  const parameters: PlacedParameter[] = [];
  for (const kind of kinds) {
    for (const spec of specs) {
      if (spec.kind !== kind) continue;
      const length = spec.shape.reduce((product, size) => product * size, 1);
      parameters.push({ ...spec, offset, length });
      offset += length;
    }
    if (kind === 'trainable') trainableLength = offset;
  }
  return { parameters, trainableLength, totalLength: offset };
}
