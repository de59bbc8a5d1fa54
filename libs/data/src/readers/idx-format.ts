import { LockstepError } from '@lockstep/core';
import type { CleaningLog } from '../cleaning-report.ts';

/**
 * IDX, MNIST's own format (http://yann.lecun.com/exdb/mnist/): a big-endian magic number `0x000008dd` (unsigned bytes, `dd`
 * dimensions), one big-endian uint32 a dimension, then the bytes.
 */
export interface IdxContent {
  /** `[samples, ...]`, with as many samples as the file really holds. */
  readonly dimensions: readonly number[];
  readonly bytes: Uint8Array;
  /** Samples that the header declares. */
  readonly numDeclared: number;
}

const UNSIGNED_BYTE_MAGIC = 0x0800;
const MAX_SIDE = 4096;

/**
 * Reads `numDimensions` dimensions: 3 for images `[n, height, width]`, 1 for labels `[n]`. Errors: a wrong magic number or
 * impossible header always; missing or surplus bytes as `truncated` and `wrong-count`, which a run may drop.
 */
export function parseIdx(file: string, content: Uint8Array, numDimensions: number, log: CleaningLog): IdxContent {
  const [numDeclared, ...sides] = parseHeader(file, content, numDimensions);
  const sampleLength = sides.reduce((product, side) => product * side, 1);
  const body = content.subarray(4 + 4 * numDimensions);
  const present = Math.floor(body.length / sampleLength);
  const expectedBytes = numDeclared! * sampleLength;
  if (body.length < expectedBytes) {
    log.drop('truncated', { file, row: present }, `the file ends after ${body.length} bytes of samples, its header promises ${expectedBytes} (${numDeclared} samples of ${sampleLength})`, numDeclared! - present);
  }
  if (body.length > expectedBytes) {
    log.drop('wrong-count', { file, row: numDeclared! }, `${body.length - expectedBytes} bytes follow the ${numDeclared} samples that the header declares`, 0);
  }
  const count = Math.min(present, numDeclared!);
  return { dimensions: [count, ...sides], bytes: body.subarray(0, count * sampleLength), numDeclared: numDeclared! };
}

function parseHeader(file: string, content: Uint8Array, numDimensions: number): number[] {
  const headerBytes = 4 + 4 * numDimensions;
  const expectedMagic = UNSIGNED_BYTE_MAGIC + numDimensions;
  if (content.length < headerBytes) {
    throw new LockstepError('data', `${file}: truncated: ${content.length} bytes, less than the IDX header of ${headerBytes}`);
  }
  const view = new DataView(content.buffer, content.byteOffset, headerBytes);
  const magic = view.getUint32(0);
  if (magic !== expectedMagic) {
    throw new LockstepError('data', `${file}: wrong magic number ${hex(magic)}, expected ${hex(expectedMagic)} (${numDimensions === 1 ? 'labels' : 'images'})`, { hint: magicHint(magic) });
  }
  const dimensions = Array.from({ length: numDimensions }, (_, index) => view.getUint32(4 + 4 * index));
  if (dimensions.slice(1).some((side) => side < 1 || side > MAX_SIDE)) {
    throw new LockstepError('data', `${file}: images of ${dimensions.slice(1).join('x')} pixels, expected sides of 1 to ${MAX_SIDE}`);
  }
  return dimensions;
}

function magicHint(magic: number): string {
  if (magic === UNSIGNED_BYTE_MAGIC + 1) return 'this is a label file where images are expected';
  if (magic === UNSIGNED_BYTE_MAGIC + 3) return 'this is an image file where labels are expected';
  if (magic >>> 16 === 0x1f8b) return 'this is a gzip file: let its name end in .gz';
  return 'this is no IDX file of unsigned bytes';
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}
