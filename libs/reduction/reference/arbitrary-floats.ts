import fc from 'fast-check';

const EDGES = [0, -0, 2 ** -149, -(2 ** -149), 2 ** -126, 2 ** -127, 1, 1.00390625, 1.01171875, 3.4028234663852886e38, -3.4028234663852886e38];
const finite = fc.oneof(
  { weight: 4, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }).map(Math.fround) },
  { weight: 2, arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.constantFrom(...EDGES) },
);
/** Halves of integers: ties of every rounding, at one magnitude. */
const halves = (length: number) => fc.tuple(fc.integer({ min: -149, max: 120 }), fc.array(fc.integer({ min: -256, max: 256 }), { minLength: length, maxLength: length }))
  .map(([exponent, values]) => Float32Array.from(values, (value) => value * 2 ** (exponent - 1)));
const mixed = (elements: fc.Arbitrary<number>, length: number) => fc.array(elements, { minLength: length, maxLength: length }).map((values) => Float32Array.from(values));

/** Numbers of every size: both zeros, denormals, ties, the largest. */
const finiteFloats = (length: number): fc.Arbitrary<Float32Array> => fc.oneof(mixed(finite, length), halves(length));

/** As `finiteFloats`, with infinities and NaNs among them. */
export const anyFloats = (length: number): fc.Arbitrary<Float32Array> => fc.oneof(
  { weight: 2, arbitrary: finiteFloats(length) },
  { weight: 1, arbitrary: mixed(fc.oneof({ weight: 20, arbitrary: finite }, { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity) }), length) },
);
