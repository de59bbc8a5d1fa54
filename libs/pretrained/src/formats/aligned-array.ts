/**
 * A float32 array of zeros that begins at a page of memory, hence at a multiple of 64 bytes, so that TensorFlow can use it without a copy.
 * V8 takes buffers that could be resized from the system in pages; others come from malloc, which puts large ones 16 bytes behind a page.
 */
export function alignedFloat32Array(length: number): Float32Array<ArrayBuffer> {
  const numBytes = length * Float32Array.BYTES_PER_ELEMENT;
  return new Float32Array(new ArrayBuffer(numBytes, { maxByteLength: numBytes }), 0, length);
}
