/**
 * Zeros on a boundary of memory pages, which TensorFlow takes as a tensor's memory without a copy. Node gives such memory to resizable buffers; that of
 * others begins 16 bytes after a page.
 */
export function alignedFloats(length: number): Float32Array {
  return new Float32Array(new ArrayBuffer(4 * length, { maxByteLength: 4 * length }), 0, length);
}

/** `values` themselves where they are known to be aligned, else a copy that is, so that `values` are not kept beside TensorFlow's own copy. */
export function aligned(values: Float32Array): Float32Array {
  if (values.buffer instanceof ArrayBuffer && values.buffer.resizable && values.byteOffset === 0) return values;
  const copy = alignedFloats(values.length);
  copy.set(values);
  return copy;
}
