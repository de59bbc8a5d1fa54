/** The compressors in plain JavaScript, by their definition: what the WebAssembly must equal bit for bit. */

type Values = Float32Array;

export interface ScalarCompressor {
  /** Floats of the state of a block; of each the same. */
  readonly initialState: Values;
  /** Bytes of a block of 4,096 elements. */
  readonly blockBytes: number;
  /** What travels of a block; leaves the rest in it, and in the state what the next begins with. */
  takeBlock(block: Values, state: Values): Uint8Array;
  decodeBlock(bytes: Uint8Array): Values;
}

const BLOCK = 4096;
const SIDE = 64;
const { fround } = Math;

function floatsOf(bytes: Uint8Array, from: number, to: number): Values {
  return new Float32Array(bytes.slice(from, to).buffer);
}

export function scalarTopK(kept: number): ScalarCompressor {
  return {
    initialState: new Float32Array(0),
    blockBytes: kept * 6,
    takeBlock(block) {
      const magnitudes = new Uint32Array(block.slice().buffer).map((bits) => bits & 0x7fffffff);
      const order = Array.from(magnitudes.keys()).sort((left, right) => (magnitudes[right] ?? 0) - (magnitudes[left] ?? 0) || left - right);
      const indices = Uint16Array.from(order.slice(0, kept)).sort();
      const values = Float32Array.from(indices, (index) => block[index] ?? Number.NaN);
      for (const index of indices) block[index] = 0;
      return Uint8Array.of(...new Uint8Array(values.buffer), ...new Uint8Array(indices.buffer));
    },
    decodeBlock(bytes) {
      const values = floatsOf(bytes, 0, 4 * kept);
      const block = new Float32Array(BLOCK);
      new Uint16Array(bytes.slice(4 * kept).buffer).forEach((index, at) => {
        block[index] = values[at] ?? Number.NaN;
      });
      return block;
    },
  };
}

/** Columns of 64 floats. */
type Columns = readonly Values[];

const columnsOf = (floats: Values): Columns => Array.from({ length: floats.length / SIDE }, (_, index) => floats.slice(index * SIDE, (index + 1) * SIDE));
const concatenated = (columns: Columns): Values => Float32Array.from(columns.flatMap((column) => Array.from(column)));
const times = (column: Values, factor: number): Values => column.map((entry) => entry * factor);
const largestOf = (column: Values): number => Math.max(...column.map(Math.abs));
const sum = (terms: Values): number => terms.reduce((total, term) => fround(total + term));

/** Lane `k` of 4 adds the products `k, k + 4, ...`, then the lanes are added in order. */
function dot(left: Values, right: Values): number {
  const products = left.map((entry, at) => entry * (right[at] ?? Number.NaN));
  return sum(Float32Array.from({ length: 4 }, (_, lane) => sum(products.filter((_product, at) => at % 4 === lane))));
}

/** `weights[0] columns[0] + weights[1] columns[1] + ...`, in order. */
function combination(weights: Values, columns: Columns): Values {
  const terms = columns.map((column, at) => times(column, weights[at] ?? Number.NaN));
  return terms.reduce((total, term) => total.map((entry, at) => entry + (term[at] ?? Number.NaN)));
}

/** Times the power of two by which the largest magnitude is from 1 to 2, where it is one from 2^-126 to 2^127. */
function scaled(column: Values): Values {
  const exponents = Array.from({ length: 253 }, (_, at) => at - 126);
  const largest = largestOf(column);
  return times(column, 2 ** -(exponents.findLast((exponent) => 2 ** exponent <= largest) ?? -127));
}

function orthonormal(columns: Columns): Columns {
  const units: Values[] = [];
  for (const column of columns) {
    let rest = scaled(column);
    for (const unit of [...units, ...units]) {
      const length = dot(rest, unit);
      rest = rest.map((entry, at) => entry - fround((unit[at] ?? Number.NaN) * length));
    }
    const square = dot(rest, rest);
    const norm = fround(Math.sqrt(square));
    units.push(rest.map((entry) => (square < fround(1e-12) ? 0 : entry / norm)));
  }
  return units;
}

/** The finaliser of MurmurHash3, its upper 24 bits as a number from -1 up to 1. */
function initialEntry(element: number): number {
  let hash = Math.imul(element ^ (element >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 8) / 2 ** 23 - 1;
}

export function scalarPowerSgd(rank: number): ScalarCompressor {
  const initialState = Float32Array.from({ length: SIDE * rank }, (_, element) => initialEntry(element));
  const decodeBlock = (bytes: Uint8Array): Values => {
    const factors = columnsOf(floatsOf(bytes, 0, bytes.length));
    const p = factors.slice(0, rank);
    return concatenated(Array.from({ length: SIDE }, (_, row) => combination(Float32Array.from(p, (column) => column[row] ?? Number.NaN), factors.slice(rank))));
  };
  return {
    initialState,
    blockBytes: 2 * initialState.byteLength,
    takeBlock(block, state) {
      const rows = columnsOf(block);
      const p = orthonormal(columnsOf(state).map((column) => Float32Array.from(rows, (row) => dot(row, column))));
      const q = p.map((column) => combination(column, rows));
      const restarted = columnsOf(initialState);
      state.set(concatenated(q.map((column, at) => (largestOf(column) > 0 && largestOf(column) < Infinity ? scaled(column) : restarted[at] ?? column))));
      const bytes = new Uint8Array(concatenated([...p, ...q]).buffer);
      const decoded = decodeBlock(bytes);
      block.set(block.map((entry, at) => entry - (decoded[at] ?? Number.NaN)));
      return bytes;
    },
    decodeBlock,
  };
}

/** As `Compressor.take` and `decode`: blocks, then the rest as it is. */
export function scalarTake({ blockBytes, initialState, takeBlock }: ScalarCompressor, vector: Values, state: Values): Uint8Array {
  const blocks = Math.floor(vector.length / BLOCK);
  const rest = vector.subarray(blocks * BLOCK);
  const bytes = new Uint8Array(blocks * blockBytes + rest.byteLength);
  for (let block = 0; block < blocks; block++) {
    const blockState = state.subarray(block * initialState.length, (block + 1) * initialState.length);
    bytes.set(takeBlock(vector.subarray(block * BLOCK, (block + 1) * BLOCK), blockState), block * blockBytes);
  }
  bytes.set(new Uint8Array(rest.slice().buffer), blocks * blockBytes);
  rest.fill(0);
  return bytes;
}

export function scalarDecode({ blockBytes, decodeBlock }: ScalarCompressor, bytes: Uint8Array, length: number): Values {
  const blocks = Math.floor(length / BLOCK);
  const values = new Float32Array(length);
  for (let block = 0; block < blocks; block++) values.set(decodeBlock(bytes.slice(block * blockBytes, (block + 1) * blockBytes)), block * BLOCK);
  values.set(floatsOf(bytes, blocks * blockBytes, bytes.length), blocks * BLOCK);
  return values;
}
