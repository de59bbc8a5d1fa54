/** The wire formats in plain JavaScript, by the definition of their rounding: what the WebAssembly must equal bit for bit. */

type Values = Float32Array;

export interface ScalarWireFormat {
  encode(values: Values): Uint8Array;
  decode(bytes: Uint8Array, length: number): Values;
}

function nearestEven(value: number): number {
  const below = Math.floor(value);
  const above = value - below;
  return above > 0.5 || (above === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

/** The largest `k` for which `2^k <= magnitude`. */
function exponentOf(magnitude: number): number {
  let exponent = Math.floor(Math.log2(magnitude));
  while (2 ** exponent > magnitude) exponent -= 1;
  while (2 ** (exponent + 1) <= magnitude) exponent += 1;
  return exponent;
}

/** 8 bits of significand, exponents of float32. */
function toBf16(value: number): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const magnitude = Math.abs(value);
  const unit = 2 ** (Math.max(exponentOf(magnitude), -126) - 7);
  const rounded = nearestEven(magnitude / unit) * unit;
  return Math.sign(value) * (rounded < 2 ** 128 ? rounded : Infinity);
}

const bf16: ScalarWireFormat = {
  encode(values) {
    const view = new DataView(new ArrayBuffer(4));
    const halves = Uint16Array.from(values, (value) => {
      view.setFloat32(0, toBf16(value));
      return Number.isNaN(value) ? 0x7fc0 : view.getUint16(0);
    });
    return new Uint8Array(halves.buffer);
  },
  decode(bytes, length) {
    const view = new DataView(new ArrayBuffer(4));
    return Float32Array.from({ length }, (_, at) => {
      view.setUint16(0, (bytes[2 * at] ?? 0) + 256 * (bytes[2 * at + 1] ?? 0));
      return view.getFloat32(0);
    });
  },
};

const BLOCK = 32;
const LARGEST_EXPONENT = 121;

/** The exponent of the smallest scale by which the largest magnitude rounds to at most 127. */
function scaleExponent(largest: number): number {
  let exponent = -127;
  while (nearestEven(largest / 2 ** exponent) > 127) exponent += 1;
  return exponent;
}

function encodeBlock(values: Values): number[] {
  const exponent = values.every(Number.isFinite) ? scaleExponent(Math.max(...values.map(Math.abs))) : Infinity;
  if (exponent > LARGEST_EXPONENT) return [255, ...Array.from(values, () => 0)];
  const element = (value: number) => Math.sign(value) * nearestEven(Math.abs(value) / 2 ** exponent);
  return [exponent + 127, ...Array.from(values, element)];
}

const int8: ScalarWireFormat = {
  encode(values) {
    const blocks = Array.from({ length: Math.ceil(values.length / BLOCK) }, (_, block) => values.subarray(block * BLOCK, (block + 1) * BLOCK));
    return Uint8Array.from(blocks.flatMap(encodeBlock));
  },
  decode(bytes, length) {
    const elements = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    return Float32Array.from({ length }, (_, at) => {
      const block = Math.floor(at / BLOCK) * (BLOCK + 1);
      const code = bytes[block] ?? Number.NaN;
      return code === 255 ? Number.NaN : (elements[block + 1 + (at % BLOCK)] ?? Number.NaN) * 2 ** (code - 127);
    });
  },
};

const float32: ScalarWireFormat = {
  encode: (values) => new Uint8Array(values.slice().buffer),
  decode: (bytes, length) => new Float32Array(bytes.slice().buffer, 0, length),
};

export const scalarWireFormats = { float32, bf16, int8 };

/** What encoding and decoding make of the values. */
export const scalarRound = ({ encode, decode }: ScalarWireFormat, values: Values): Values => decode(encode(values), values.length);
