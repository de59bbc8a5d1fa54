/** One named tensor of a model. Buffers (a BatchNorm's moving statistics) are reduced like gradients but not optimized. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly kind: 'trainable' | 'buffer';
}

/** A tensor's place in the flat vector, in float32 elements. */
export interface PlacedParameter extends ParameterSpec {
  readonly offset: number;
  readonly length: number;
}

/**
 * How a model's tensors lie in the flat float32 vector: all trainable ones in the model's order, then all buffers.
 * A gradient has the same layout; in the place of a buffer it carries the buffer's delta times the number of examples.
 */
export interface ParameterLayout {
  readonly parameters: readonly PlacedParameter[];
  readonly trainableLength: number;
  readonly totalLength: number;
}

export function layOutParameters(specs: readonly ParameterSpec[]): ParameterLayout {
  let offset = 0;
  let trainableLength = 0;
  const parameters: PlacedParameter[] = [];
  for (const kind of ['trainable', 'buffer'] as const) {
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
