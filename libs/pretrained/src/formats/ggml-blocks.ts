/** A block type of ggml: `numValues` weights of a row share a scale. */
export interface BlockType {
  readonly name: string;
  readonly blockBytes: number;
  /** Writes the values of each block of `bytes` to `target`, `VALUES_PER_BLOCK` a block. */
  dequantize(bytes: Uint8Array, target: Float32Array): void;
}

export const VALUES_PER_BLOCK = 32;
const HALF = VALUES_PER_BLOCK / 2;
const { fround } = Math;

/** `d` float16, 32 signed bytes `q`: `q * d`. Source: ggml/src/ggml-quants.c, dequantize_row_q8_0. */
export const q8_0: BlockType = {
  name: 'Q8_0',
  blockBytes: 34,
  dequantize: (bytes, target) => forEachBlock(bytes, 34, (view, offset, first) => {
    const scale = view.getFloat16(offset, true);
    for (let index = 0; index < VALUES_PER_BLOCK; index++) target[first + index] = view.getInt8(offset + 2 + index) * scale;
  }),
};

/** `d` float16, 16 bytes of two values `q`, the low halves first: `(q - 8) * d`. Source: dequantize_row_q4_0 of the same file. */
export const q4_0: BlockType = {
  name: 'Q4_0',
  blockBytes: 18,
  dequantize: (bytes, target) => forEachBlock(bytes, 18, (view, offset, first) => {
    const scale = view.getFloat16(offset, true);
    for (let index = 0; index < HALF; index++) {
      const pair = view.getUint8(offset + 2 + index);
      target[first + index] = ((pair & 15) - 8) * scale;
      target[first + HALF + index] = ((pair >> 4) - 8) * scale;
    }
  }),
};

/** `d` and `m` float16, 16 bytes as in Q4_0: `q * d + m`, the product rounded to float32 before the sum. Source: dequantize_row_q4_1 of the same file. */
export const q4_1: BlockType = {
  name: 'Q4_1',
  blockBytes: 20,
  dequantize: (bytes, target) => forEachBlock(bytes, 20, (view, offset, first) => {
    const scale = view.getFloat16(offset, true);
    const minimum = view.getFloat16(offset + 2, true);
    for (let index = 0; index < HALF; index++) {
      const pair = view.getUint8(offset + 4 + index);
      target[first + index] = fround((pair & 15) * scale) + minimum;
      target[first + HALF + index] = fround((pair >> 4) * scale) + minimum;
    }
  }),
};

function forEachBlock(bytes: Uint8Array, blockBytes: number, dequantizeBlock: (view: DataView, offset: number, firstValue: number) => void): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let block = 0; block < bytes.length / blockBytes; block++) dequantizeBlock(view, block * blockBytes, block * VALUES_PER_BLOCK);
}
