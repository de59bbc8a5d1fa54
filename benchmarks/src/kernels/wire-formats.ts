import { createKernels } from '@lockstep/reduction';
import type { Row } from '../row.ts';
import { mediansInterleaved, timed } from './interleaved.ts';
import { filledArray, filledVector, millions } from './operands.ts';

const FLOAT_BYTES = 4;

/** Casts, quantisers and the sums that they round against the memory bandwidth of a plain copy. */
export async function benchWireFormats(length: number, repetitions: number): Promise<Row[]> {
  const [target, source] = [filledArray(length), filledArray(length)];
  const actions = (['bf16', 'int8'] as const).flatMap((name) => actionsOf(name, length));
  const { copy = Number.NaN, ...seconds } = await mediansInterleaved<string>({
    copy: timed(() => target.set(source)),
    ...Object.fromEntries(actions.map(({ name, run }) => [name, timed(run)])),
  }, repetitions);
  const copied = (2 * FLOAT_BYTES * length) / copy;
  return actions.map(({ name, bytes }) => {
    const bandwidth = bytes / (seconds[name] ?? Number.NaN);
    return {
      name: `${name}, ${millions(length)}: memory bandwidth`,
      ours: `${(bandwidth / 1e9).toFixed(1)} GB/s`,
      peer: `${(copied / 1e9).toFixed(1)} GB/s, plain copy`,
      ratio: bandwidth / copied,
      goal: null,
      note: 'bytes of the operands, float32 and encoded',
    };
  });
}

/** Each with the bytes of its operands. */
function actionsOf(format: 'bf16' | 'int8', length: number): { readonly name: string; readonly bytes: number; readonly run: () => void }[] {
  const kernels = createKernels();
  const { encode, decode, merge, bytesFor } = kernels.wireFormats[format];
  const [floats, other] = [filledVector(kernels, length), filledVector(kernels, length)];
  const encoded = kernels.allocateBytes(bytesFor(length));
  const floatBytes = length * FLOAT_BYTES;
  encode(floats, encoded);
  return [
    { name: `encode ${format}`, bytes: floatBytes + encoded.length, run: () => encode(floats, encoded) },
    { name: `decode ${format}`, bytes: encoded.length + floatBytes, run: () => decode(encoded, other) },
    { name: `add and round to ${format}`, bytes: 3 * floatBytes, run: () => merge(floats, other) },
  ];
}
