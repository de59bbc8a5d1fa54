import { bytesOf, LockstepError, type ParameterLayout } from '@lockstep/core';

/** One float32 tensor of a file. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface Safetensors {
  readonly tensors: readonly NamedTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The format's own limit on the header, which keeps a damaged length from costing memory. */
const MAX_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;

/**
 * The flat vector as a safetensors file (https://github.com/huggingface/safetensors), in chunks to write one after another:
 * a little-endian 64-bit header length, a JSON header padded with spaces to 8 bytes, the tensors in the layout's order.
 * The last chunks view `parts`, which make up the flat vector one after another, and copy nothing.
 */
export function encodeSafetensors(layout: ParameterLayout, parts: Float32Array | readonly Float32Array[], metadata: Readonly<Record<string, string>>): Uint8Array[] {
  const vectors = parts instanceof Float32Array ? [parts] : parts;
  const numElements = vectors.reduce((sum, { length }) => sum + length, 0);
  if (numElements !== layout.totalLength) {
    throw new LockstepError('storage', `the flat vector has ${numElements} elements, its layout ${layout.totalLength}`);
  }
  const header: Record<string, unknown> = { __metadata__: metadata };
  for (const { name, shape, offset, length } of layout.parameters) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset * 4, (offset + length) * 4] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ');
  json.copy(padded);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(padded.length));
  return [length, padded, ...vectors.map(bytesOf)];
}

/**
 * Reads a safetensors file of float32 tensors and checks all that its header says before using it.
 * @throws LockstepError `storage` naming what is wrong: a truncated file, overlapping or missing bytes, another dtype.
 */
export function decodeSafetensors(bytes: Uint8Array): Safetensors {
  const { header, data } = splitHeader(bytes);
  const { __metadata__: metadata = {}, ...entries } = header;
  const tensors = Object.entries(entries).map(([name, entry]) => readTensor(name, entry, data));
  checkCoverage(tensors.map(({ begin, end, tensor }) => ({ begin, end, name: tensor.name })), data.length);
  return { tensors: tensors.map(({ tensor }) => tensor), metadata: readMetadata(metadata) };
}

/**
 * The flat vector of `layout` from a file's tensors.
 * @throws LockstepError `storage` naming the tensor that is missing, unknown or of another shape.
 */
export function flatFromTensors(layout: ParameterLayout, tensors: readonly NamedTensor[]): Float32Array {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const flat = new Float32Array(layout.totalLength);
  for (const { name, shape, offset } of layout.parameters) {
    const tensor = byName.get(name);
    if (tensor === undefined) damaged(`tensor ${name} is missing`);
    if (tensor.shape.join() !== shape.join()) damaged(`tensor ${name} has shape [${tensor.shape.join()}], the model's is [${shape.join()}]`);
    flat.set(tensor.data, offset);
    byName.delete(name);
  }
  for (const name of byName.keys()) damaged(`tensor ${name} is not in the model`);
  return flat;
}

function splitHeader(bytes: Uint8Array): { header: Record<string, unknown>; data: Uint8Array } {
  if (bytes.length < LENGTH_BYTES) damaged(`${bytes.length} bytes hold no header`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES || length > bytes.length - LENGTH_BYTES) {
    damaged(`the header's length is ${length} bytes in a file of ${bytes.length}`);
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + LENGTH_BYTES, length).toString('utf8');
  return { header: parseHeader(text), data: bytes.subarray(LENGTH_BYTES + length) };
}

function parseHeader(text: string): Record<string, unknown> {
  if (!text.startsWith('{')) damaged('the header is not a JSON object');
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    return damaged('the header is not JSON', cause);
  }
}

function readTensor(name: string, entry: unknown, data: Uint8Array): { tensor: NamedTensor; begin: number; end: number } {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (dtype !== 'F32') damaged(`tensor ${name} has dtype ${JSON.stringify(dtype)}, expected "F32"`);
  if (!isCountList(shape)) damaged(`tensor ${name} has shape ${JSON.stringify(shape)}, expected a list of sizes`);
  if (!isCountList(offsets) || offsets.length !== 2) damaged(`tensor ${name} has data_offsets ${JSON.stringify(offsets)}, expected [begin, end]`);
  const [begin, end] = offsets as [number, number];
  const length = shape.reduce((product, size) => product * size, 1);
  if (end - begin !== length * 4) damaged(`tensor ${name} of shape [${shape.join()}] needs ${length * 4} bytes, its data_offsets hold ${end - begin}`);
  if (end > data.length) damaged(`tensor ${name} ends at byte ${end} of ${data.length}: the file is truncated`);
  // A copy (a Buffer's slice would be a view): the bytes may lie at an address that float32 cannot be read from.
  return { tensor: { name, shape, data: new Float32Array(new Uint8Array(data.subarray(begin, end)).buffer) }, begin, end };
}

const isCountList = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);

/** The format allows neither holes nor overlaps. */
function checkCoverage(ranges: readonly { begin: number; end: number; name: string }[], totalBytes: number): void {
  let covered = 0;
  for (const { begin, end, name } of ranges.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) damaged(`tensor ${name} begins at byte ${begin}, expected ${covered}`);
    covered = end;
  }
  if (covered !== totalBytes) damaged(`the tensors cover ${covered} bytes of ${totalBytes}`);
}

function readMetadata(metadata: unknown): Record<string, string> {
  const isText = typeof metadata === 'object' && metadata !== null && Object.values(metadata).every((value) => typeof value === 'string');
  if (!isText) damaged('__metadata__ is not a map of texts');
  return metadata as Record<string, string>;
}

function damaged(reason: string, cause?: unknown): never {
  throw new LockstepError('storage', `not a valid safetensors file: ${reason}`, { cause });
}
