import { bytesOf, LockstepError } from '@lockstep/core';
import { emptyTally, type Tally, type TreeNode } from '@lockstep/reduction';

/**
 * The message of the Exchange stream: a header of 56 bytes, little-endian, and raw bytes.
 *
 * | byte | type | field |
 * | --- | --- | --- |
 * | 0 | u8 | kind |
 * | 1 | u8 | carrier: 0 the bytes follow, 1 they lie in a shared file |
 * | 2 | u16 | slot of the shared file |
 * | 4 | u32 | step of a partial, gradient or norm, or version of parameters or state |
 * | 8, 12 | u32 | level and index of the tree node |
 * | 16, 20 | u32 | examples, correct predictions |
 * | 24 | f64 | loss sum |
 * | 32 | f32 | milliseconds that the gradients took |
 * | 36, 40, 44 | u32 | offset and count of this chunk, and length of the whole, in float32 elements |
 * | 48 | u32 | micro-batches that are no number |
 * | 52 | u32 | digests (u32 each) after the floats: on the first chunk of a partial one a micro-batch, else none |
 *
 * After the header of a `hello` or `finished` comes JSON. The sums of `norms` are float64: two elements each.
 */
export const HEADER_BYTES = 56;

/** Floats of one chunk, 512 KiB: between the cost of a message and the pipelining of many. */
export const CHUNK_FLOATS = 131_072;

/** The most digests that a partial carries: one a micro-batch. */
const MAX_DIGESTS = 65_536;

/** The longest frame. */
export const MAX_FRAME_BYTES = HEADER_BYTES + CHUNK_FLOATS * 4 + MAX_DIGESTS * 4;

const KINDS = ['hello', 'partial', 'initial', 'version', 'norms', 'finished', 'gradient', 'state', 'ack'] as const;
export type FrameKind = (typeof KINDS)[number];
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

export interface TensorFrame {
  readonly header: FrameHeader;
  /** The floats of this chunk, or JSON. */
  readonly payload: Buffer;
  /** Of each micro-batch's gradient, in order. */
  readonly digests: Uint32Array;
}

const NO_DIGESTS = new Uint32Array(0);

/** The fields of a header that a frame of this kind does not use. */
export const blankHeader: FrameHeader = {
  kind: 'hello', carrier: 'inline', slot: 0, step: 0, node: { level: 0, index: 0 },
  tally: emptyTally, computeMs: 0, offset: 0, count: 0, length: 0,
};

/** One frame; payload and digests are copied. */
export function encodeFrame(header: FrameHeader, payload: Uint8Array | null = null, digests: ArrayLike<number> = NO_DIGESTS): Buffer {
  const payloadEnd = HEADER_BYTES + (payload?.byteLength ?? 0);
  const frame = Buffer.allocUnsafe(payloadEnd + digests.length * 4);
  frame.writeUInt8(KINDS.indexOf(header.kind), 0);
  frame.writeUInt8(CARRIERS.indexOf(header.carrier), 1);
  frame.writeUInt16LE(header.slot, 2);
  frame.writeUInt32LE(header.step, 4);
  frame.writeUInt32LE(header.node.level, 8);
  frame.writeUInt32LE(header.node.index, 12);
  frame.writeUInt32LE(header.tally.numExamples, 16);
  frame.writeUInt32LE(header.tally.numCorrect, 20);
  frame.writeDoubleLE(header.tally.lossSum, 24);
  frame.writeFloatLE(header.computeMs, 32);
  frame.writeUInt32LE(header.offset, 36);
  frame.writeUInt32LE(header.count, 40);
  frame.writeUInt32LE(header.length, 44);
  frame.writeUInt32LE(header.tally.numNonFinite, 48);
  frame.writeUInt32LE(digests.length, 52);
  if (payload !== null) frame.set(payload, HEADER_BYTES);
  for (let index = 0; index < digests.length; index += 1) frame.writeUInt32LE(digests[index] ?? 0, payloadEnd + index * 4);
  return frame;
}

/** Reads a header and checks what the bytes after it must satisfy; a frame comes from the network. */
export function decodeFrame(frame: Buffer): TensorFrame {
  if (frame.byteLength < HEADER_BYTES) throw malformed(`${frame.byteLength} bytes, expected at least ${HEADER_BYTES}`);
  const kind = KINDS[frame.readUInt8(0)];
  if (kind === undefined) throw malformed(`kind ${frame.readUInt8(0)}, expected 0 to ${KINDS.length - 1}`);
  const carrier = CARRIERS[frame.readUInt8(1)];
  if (carrier === undefined) throw malformed(`carrier ${frame.readUInt8(1)}, expected 0 or 1`);
  const header: FrameHeader = {
    kind,
    carrier,
    slot: frame.readUInt16LE(2),
    step: frame.readUInt32LE(4),
    node: { level: frame.readUInt32LE(8), index: frame.readUInt32LE(12) },
    tally: { numExamples: frame.readUInt32LE(16), numCorrect: frame.readUInt32LE(20), lossSum: frame.readDoubleLE(24), numNonFinite: frame.readUInt32LE(48) },
    computeMs: frame.readFloatLE(32),
    offset: frame.readUInt32LE(36),
    count: frame.readUInt32LE(40),
    length: frame.readUInt32LE(44),
  };
  const numDigests = frame.readUInt32LE(52);
  const digestsAt = frame.byteLength - numDigests * 4;
  if (numDigests > 0 && digestsAt < HEADER_BYTES) throw malformed(`${numDigests} digests in ${frame.byteLength} bytes`);
  const payload = frame.subarray(HEADER_BYTES, digestsAt);
  if (kind !== 'hello' && kind !== 'finished') checkExtent(header, payload.byteLength);
  if (kind === 'partial') checkPartial(header, numDigests);
  else if (numDigests > 0) throw malformed(`${numDigests} digests on a ${kind}`);
  return { header, payload, digests: numDigests === 0 ? NO_DIGESTS : digestsFrom(frame, digestsAt, numDigests) };
}

/** A tensor slice as inline frames in order; the floats are copied. An empty slice is one frame. */
export function framesOf(kind: FrameKind, fields: Partial<FrameHeader>, floats: Float32Array, digests: ArrayLike<number> = NO_DIGESTS): Buffer[] {
  const frames: Buffer[] = [];
  let offset = 0;
  do {
    const chunk = floats.subarray(offset, offset + CHUNK_FLOATS);
    frames.push(encodeFrame({ ...blankHeader, ...fields, kind, offset, count: chunk.length, length: floats.length }, bytesOf(chunk), offset === 0 ? digests : NO_DIGESTS));
    offset += chunk.length;
  } while (offset < floats.length);
  return frames;
}

function checkExtent(header: FrameHeader, payloadBytes: number): void {
  const expectedBytes = header.carrier === 'inline' ? header.count * 4 : 0;
  if (payloadBytes !== expectedBytes) throw malformed(`${payloadBytes} payload bytes, expected ${expectedBytes}`);
  if (header.offset + header.count > header.length) {
    throw malformed(`elements ${header.offset} to ${header.offset + header.count} of ${header.length}`);
  }
}

/** What a shard adds up and divides by must be numbers, whoever sent them. */
function checkPartial({ node, offset, tally, computeMs }: FrameHeader, numDigests: number): void {
  const expectedDigests = offset === 0 ? 2 ** node.level : 0;
  if (numDigests !== expectedDigests) throw malformed(`${numDigests} digests, expected ${expectedDigests}`);
  if (!Number.isFinite(tally.lossSum)) throw malformed(`loss sum ${tally.lossSum}, expected a number`);
  if (!(computeMs >= 0 && computeMs < Infinity)) throw malformed(`${computeMs} milliseconds of computing, expected a number`);
}

function digestsFrom(frame: Buffer, at: number, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => frame.readUInt32LE(at + index * 4));
}

function malformed(what: string): LockstepError {
  return new LockstepError('protocol', `malformed tensor frame: ${what}`);
}
