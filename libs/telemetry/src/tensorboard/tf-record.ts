import { crc32c } from '@node-rs/crc32';

const LENGTH_BYTES = 8;
const CHECKSUM_BYTES = 4;
const MASK_DELTA = 0xa282ead8;

/**
 * Frames one record as TensorFlow's RecordWriter does: its length as uint64, the length's checksum, the data, the data's checksum,
 * all little-endian (tensorflow/core/lib/io/record_writer.h).
 */
export function frameRecord(data: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(LENGTH_BYTES + CHECKSUM_BYTES + data.length + CHECKSUM_BYTES);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(maskedCrc32c(record.subarray(0, LENGTH_BYTES)), LENGTH_BYTES);
  record.set(data, LENGTH_BYTES + CHECKSUM_BYTES);
  const end = LENGTH_BYTES + CHECKSUM_BYTES + data.length;
  record.writeUInt32LE(maskedCrc32c(record.subarray(LENGTH_BYTES + CHECKSUM_BYTES, end)), end);
  return record;
}

/** CRC-32C rotated right by 15 bits plus a constant, so that a checksum of checksums stays good (tensorflow/core/lib/hash/crc32c.h). */
function maskedCrc32c(bytes: Buffer): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
