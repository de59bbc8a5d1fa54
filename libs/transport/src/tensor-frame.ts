import { bytesOf, LockstepError } from '@lockstep/core';
import { emptyTally, type Tally, type TreeNode } from '@lockstep/reduction';

/**
 * What a tensor stream carries, one after another: a header of 60 bytes, little-endian, digests, and the bytes of a tensor.
 *
 * | byte | type | field |
 * | --- | --- | --- |
 * | 0 | u32 | bytes of the frame, these four among them |
 * | 4 | u8 | kind |
 * | 5 | u8 | carrier: 0 the bytes follow, 1 they lie in a shared file |
 * | 6 | u16 | slot of the shared file |
 * | 8 | u32 | step of a partial, gradient or norm, or version of parameters or state |
 * | 12, 16 | u32 | level and index of the tree node |
 * | 20, 24 | u32 | examples, correct predictions |
 * | 28 | f32 | milliseconds that a worker's gradients took |
 * | 32 | f64 | loss sum |
 * | 40, 44, 48 | u32 | offset and count of this chunk, and length of the whole, in bytes |
 * | 52 | u32 | micro-batches that are no number |
 * | 56 | u32 | digests (u32 each) before the bytes: on the first chunk of a partial one a micro-batch, else none |
 *
 * After the header of a `hello`, `finished`, `refusal`, `nodes` or `shares` comes JSON. A `partial` is in the run's wire format, `norms` are float64,
 * all else is float32.
 */
export const HEADER_BYTES = 60;

/** The most bytes of one chunk: between the cost of a message and the pipelining of many. */
export const CHUNK_BYTES = 512 * 1024;

/** Of what lies in shared memory, the bytes that one frame tells of: between the cost of a message and the pipelining of many. */
export const SHARED_CHUNK_BYTES = 4 * 1024 * 1024;

/** The most digests that a partial carries: one a micro-batch. */
const MAX_DIGESTS = 65_536;

/** The longest frame. */
export const MAX_FRAME_BYTES = HEADER_BYTES + CHUNK_BYTES + MAX_DIGESTS * 4;

const KINDS = ['hello', 'partial', 'initial', 'version', 'norms', 'finished', 'gradient', 'state', 'ack', 'refusal', 'ping', 'nodes', 'shares'] as const;
export type FrameKind = (typeof KINDS)[number];
/** Whose payload is JSON. */
const IN_JSON: ReadonlySet<FrameKind> = new Set<FrameKind>(['hello', 'finished', 'refusal', 'nodes', 'shares']);
const CARRIERS = ['inline', 'shared'] as const;
export type Carrier = (typeof CARRIERS)[number];

export interface FrameHeader {
  readonly kind: FrameKind;
  readonly carrier: Carrier;
  readonly slot: number;
  readonly step: number;
  readonly node: TreeNode;
  readonly tally: Tally;
  readonly computeMs: number;
  readonly offset: number;
  readonly count: number;
  readonly length: number;
}

/** A frame but for its payload. */
export interface FrameHead {
  readonly header: FrameHeader;
  /** Of each micro-batch's gradient, in order. */
  readonly digests: Uint32Array;
  /** How many bytes of payload follow. */
  readonly payloadBytes: number;
  readonly isJson: boolean;
}

export interface TensorFrame {
  readonly header: FrameHeader;
  /** The bytes of this chunk, or JSON. */
  readonly payload: Buffer;
  /** Of each micro-batch's gradient, in order. */
  readonly digests: Uint32Array;
}

const NO_DIGESTS = new Uint32Array(0);
const NO_PAYLOAD = new Uint8Array(0);

/** The fields of a header that a frame of this kind does not use. */
export const blankHeader: FrameHeader = {
  kind: 'hello', carrier: 'inline', slot: 0, step: 0, node: { level: 0, index: 0 },
  tally: emptyTally, computeMs: 0, offset: 0, count: 0, length: 0,
};

/** One frame; payload and digests are copied. */
export function encodeFrame(header: FrameHeader, payload: Uint8Array = NO_PAYLOAD, digests: ArrayLike<number> = NO_DIGESTS): Buffer {
  return Buffer.concat([encodeHead(header, payload.byteLength, digests), payload]);
}

/** A frame but for its payload, which is to follow. */
function encodeHead(header: FrameHeader, payloadBytes: number, digests: ArrayLike<number>): Buffer {
  const head = Buffer.allocUnsafe(HEADER_BYTES + digests.length * 4);
  head.writeUInt32LE(head.byteLength + payloadBytes, 0);
  head.writeUInt8(KINDS.indexOf(header.kind), 4);
  head.writeUInt8(CARRIERS.indexOf(header.carrier), 5);
  head.writeUInt16LE(header.slot, 6);
  head.writeUInt32LE(header.step, 8);
  head.writeUInt32LE(header.node.level, 12);
  head.writeUInt32LE(header.node.index, 16);
  head.writeUInt32LE(header.tally.numExamples, 20);
  head.writeUInt32LE(header.tally.numCorrect, 24);
  head.writeFloatLE(header.computeMs, 28);
  head.writeDoubleLE(header.tally.lossSum, 32);
  head.writeUInt32LE(header.offset, 40);
  head.writeUInt32LE(header.count, 44);
  head.writeUInt32LE(header.length, 48);
  head.writeUInt32LE(header.tally.numNonFinite, 52);
  head.writeUInt32LE(digests.length, 56);
  for (let index = 0; index < digests.length; index += 1) head.writeUInt32LE(digests[index] ?? 0, HEADER_BYTES + index * 4);
  return head;
}

/** How many bytes the head of a frame has, digests included, by its first `HEADER_BYTES`; checked, as they come from the network. */
export function headBytesOf(start: Buffer): number {
  const frameBytes = start.readUInt32LE(0);
  if (frameBytes < HEADER_BYTES || frameBytes > MAX_FRAME_BYTES) throw malformed(`${frameBytes} bytes, expected ${HEADER_BYTES} to ${MAX_FRAME_BYTES}`);
  const numDigests = start.readUInt32LE(56);
  const headBytes = HEADER_BYTES + numDigests * 4;
  if (headBytes > frameBytes) throw malformed(`${numDigests} digests in ${frameBytes} bytes`);
  return headBytes;
}

/** Reads a head and checks what it and the bytes after it must satisfy. */
export function decodeHead(head: Buffer): FrameHead {
  const kind = KINDS[head.readUInt8(4)];
  if (kind === undefined) throw malformed(`kind ${head.readUInt8(4)}, expected 0 to ${KINDS.length - 1}`);
  const carrier = CARRIERS[head.readUInt8(5)];
  if (carrier === undefined) throw malformed(`carrier ${head.readUInt8(5)}, expected 0 or 1`);
  const header: FrameHeader = {
    kind,
    carrier,
    slot: head.readUInt16LE(6),
    step: head.readUInt32LE(8),
    node: { level: head.readUInt32LE(12), index: head.readUInt32LE(16) },
    tally: { numExamples: head.readUInt32LE(20), numCorrect: head.readUInt32LE(24), lossSum: head.readDoubleLE(32), numNonFinite: head.readUInt32LE(52) },
    computeMs: head.readFloatLE(28),
    offset: head.readUInt32LE(40),
    count: head.readUInt32LE(44),
    length: head.readUInt32LE(48),
  };
  const numDigests = head.readUInt32LE(56);
  const payloadBytes = head.readUInt32LE(0) - HEADER_BYTES - numDigests * 4;
  const isJson = IN_JSON.has(kind);
  if (!isJson) checkExtent(header, payloadBytes);
  if (kind === 'partial') checkPartial(header, numDigests);
  else if (numDigests > 0) throw malformed(`${numDigests} digests on a ${kind}`);
  return { header, digests: numDigests === 0 ? NO_DIGESTS : digestsFrom(head, numDigests), payloadBytes, isJson };
}

/** A tensor slice as inline frames in order; it is copied. An empty slice is one frame. */
export function framesOf(kind: FrameKind, fields: Partial<FrameHeader>, slice: ArrayBufferView, digests: ArrayLike<number> = NO_DIGESTS): Buffer[] {
  return chunksOf(kind, fields, bytesOf(slice), { offset: 0, length: slice.byteLength }, digests).map(({ head, payload }) => Buffer.concat([head, payload]));
}

/** The same of a slice whose parts are apart, whole chunks but for the last. */
export function framesOfParts(kind: FrameKind, fields: Partial<FrameHeader>, parts: readonly ArrayBufferView[]): Buffer[] {
  const length = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  let end = 0;
  return parts.flatMap((part) => {
    const offset = end;
    end += part.byteLength;
    return chunksOf(kind, fields, bytesOf(part), { offset, length }, NO_DIGESTS).map(({ head, payload }) => Buffer.concat([head, payload]));
  });
}

/**
 * A part of a slice, from `offset` on of its `length` bytes, as frames in parts, heads and bytes in turn: they are not copied, and
 * must stay as they are until they are sent.
 */
export function lentFramesOf(kind: FrameKind, fields: Partial<FrameHeader>, part: Uint8Array, extent: Extent, digests: ArrayLike<number> = NO_DIGESTS): Uint8Array[] {
  return chunksOf(kind, fields, part, extent, digests).flatMap(({ head, payload }) => [head, payload]);
}

type Extent = Pick<FrameHeader, 'offset' | 'length'>;

function chunksOf(kind: FrameKind, fields: Partial<FrameHeader>, part: Uint8Array, { offset: start, length }: Extent, digests: ArrayLike<number>): { readonly head: Buffer; readonly payload: Uint8Array }[] {
  return cutIntoChunks(part, CHUNK_BYTES).map((payload, chunk) => {
    const header = { ...blankHeader, ...fields, kind, offset: start + chunk * CHUNK_BYTES, count: payload.length, length };
    return { head: encodeHead(header, payload.byteLength, header.offset === 0 ? digests : NO_DIGESTS), payload };
  });
}

/** Views of the bytes in order; of none one that is empty. */
export function cutIntoChunks(bytes: Uint8Array, chunkBytes: number): Uint8Array[] {
  const numChunks = Math.max(1, Math.ceil(bytes.length / chunkBytes));
  return Array.from({ length: numChunks }, (_, chunk) => bytes.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes));
}

function checkExtent(header: FrameHeader, payloadBytes: number): void {
  const expectedBytes = header.carrier === 'inline' ? header.count : 0;
  if (payloadBytes !== expectedBytes) throw malformed(`${payloadBytes} payload bytes, expected ${expectedBytes}`);
  if (header.offset + header.count > header.length) {
    throw malformed(`bytes ${header.offset} to ${header.offset + header.count} of ${header.length}`);
  }
}

/** What a shard adds up and divides by must be numbers, whoever sent them. */
function checkPartial({ node, offset, tally, computeMs }: FrameHeader, numDigests: number): void {
  const expectedDigests = offset === 0 ? 2 ** node.level : 0;
  if (numDigests !== expectedDigests) throw malformed(`${numDigests} digests, expected ${expectedDigests}`);
  if (!Number.isFinite(tally.lossSum)) throw malformed(`loss sum ${tally.lossSum}, expected a number`);
  if (!(computeMs >= 0 && computeMs < Infinity)) throw malformed(`${computeMs} milliseconds of computing, expected a number`);
}

function digestsFrom(head: Buffer, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => head.readUInt32LE(HEADER_BYTES + index * 4));
}

function malformed(what: string): LockstepError {
  return new LockstepError('protocol', `malformed tensor frame: ${what}`);
}
