import { alignedFloat32Array } from '../formats/aligned-array.ts';

/** Columns `from` to `to` of a matrix of `numColumns`, as the rows of a fresh one. */
export function transposeColumns(values: Float32Array, numColumns: number, from: number, to: number): Float32Array {
  const numRows = values.length / numColumns;
  const transposed = alignedFloat32Array((to - from) * numRows);
  for (let column = from; column < to; column++) {
    const target = (column - from) * numRows;
    for (let row = 0; row < numRows; row++) transposed[target + row] = values[row * numColumns + column]!;
  }
  return transposed;
}

/**
 * Rows of queries or keys, in each head's order for ggml's rotary positions (pairs side by side), in the order for Llama's (the first halves, then the second).
 * Source: `LlamaModel.permute` of llama.cpp's convert_hf_to_gguf.py, undone. `values` is `[numHeads * headWidth, ...]`.
 */
export function unpairRotaryRows(values: Float32Array, numHeads: number, headWidth: number): Float32Array {
  const rowLength = values.length / (numHeads * headWidth);
  const unpaired = alignedFloat32Array(values.length);
  for (let row = 0; row < numHeads * headWidth; row++) {
    const inHead = row % headWidth;
    const source = row - inHead + 2 * (inHead % (headWidth / 2)) + Math.floor(inHead / (headWidth / 2));
    unpaired.set(values.subarray(source * rowLength, (source + 1) * rowLength), row * rowLength);
  }
  return unpaired;
}
