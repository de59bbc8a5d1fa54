import { gguf, GGMLQuantizationType, type GGUFParseOutput } from '@huggingface/gguf';
import { LockstepError, messageOf } from '@lockstep/core';
import { alignedFloat32Array } from './aligned-array.ts';
import { elementsOf, renderShape, type FileTensor } from './file-tensor.ts';
import { widenInto } from './element-types.ts';
import { q4_0, q4_1, q8_0, VALUES_PER_BLOCK, type BlockType } from './ggml-blocks.ts';
import { fileSize, readInto } from './positioned-read.ts';

export interface GgufFile {
  readonly path: string;
  /** Its key-value pairs, 64-bit integers as numbers. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly tensors: readonly FileTensor[];
}

/** How a type's values lie in a file: `numBytes` for each `numValues` of a row. */
interface Encoding {
  readonly numValues: number;
  readonly numBytes: number;
  decode(bytes: Uint8Array<ArrayBuffer>, target: Float32Array): void;
}

const ofBlocks = ({ blockBytes, dequantize }: BlockType): Encoding => ({ numValues: VALUES_PER_BLOCK, numBytes: blockBytes, decode: dequantize });

const ENCODINGS: ReadonlyMap<GGMLQuantizationType, Encoding> = new Map([
  [GGMLQuantizationType.F32, { numValues: 1, numBytes: 4, decode: (bytes, target) => widenInto('F32', bytes, target) }],
  [GGMLQuantizationType.F16, { numValues: 1, numBytes: 2, decode: (bytes, target) => widenInto('F16', bytes, target) }],
  [GGMLQuantizationType.BF16, { numValues: 1, numBytes: 2, decode: (bytes, target) => widenInto('BF16', bytes, target) }],
  [GGMLQuantizationType.Q8_0, ofBlocks(q8_0)],
  [GGMLQuantizationType.Q4_0, ofBlocks(q4_0)],
  [GGMLQuantizationType.Q4_1, ofBlocks(q4_1)],
]);

/**
 * A GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): its metadata and its tensors, none of which is read before it is asked for.
 * Shapes are row-major, the reverse of ggml's.
 * @throws LockstepError `data` naming the file, the tensor and what is wrong with it; `not-found`.
 */
export async function openGguf(path: string): Promise<GgufFile> {
  const totalBytes = fileSize(path);
  const header = await parseHeader(path);
  const names = new Set(header.tensorInfos.map(({ name }) => name));
  if (names.size !== header.tensorInfos.length) damaged(path, `${header.tensorInfos.length - names.size} tensors have a name that another has too`);
  return {
    path,
    metadata: Object.fromEntries(Object.entries(header.metadata).map(([key, value]) => [key, withNumbers(value)])),
    tensors: header.tensorInfos.map((info) => describeTensor(path, info, Number(header.tensorDataOffset), totalBytes)),
  };
}

const withNumbers = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withNumbers);
  return typeof value === 'bigint' ? Number(value) : value;
};

async function parseHeader(path: string): Promise<GGUFParseOutput> {
  try {
    const header = await gguf(path, { allowLocalFile: true });
    return header.littleEndian ? header : damaged(path, 'its numbers are big-endian, expected little-endian');
  } catch (cause) {
    if (cause instanceof LockstepError) throw cause;
    return damaged(path, messageOf(cause), cause);
  }
}

function describeTensor(path: string, info: GGUFParseOutput['tensorInfos'][number], dataOffset: number, totalBytes: number): FileTensor {
  const shape = info.shape.map(Number).reverse();
  const encoding = ENCODINGS.get(info.dtype);
  const described = { name: info.name, shape, file: path, type: GGMLQuantizationType[info.dtype] ?? `number ${info.dtype}`, isReadable: encoding !== undefined };
  const offset = dataOffset + Number(info.offset);
  if (encoding !== undefined) checkExtent(described, encoding, offset, totalBytes);
  return { ...described, read: () => readTensor(described, encoding, offset) };
}

type Described = Omit<FileTensor, 'read'>;

const bytesIn = ({ shape }: Described, { numValues, numBytes }: Encoding): number => (elementsOf(shape) / numValues) * numBytes;

function checkExtent(tensor: Described, encoding: Encoding, offset: number, totalBytes: number): void {
  const { file, name, shape, type } = tensor;
  const rowLength = shape.at(-1) ?? 1;
  if (rowLength % encoding.numValues !== 0) damaged(file, `tensor ${name} has rows of ${rowLength} values, expected a multiple of ${encoding.numValues} for ${type}`);
  const end = offset + bytesIn(tensor, encoding);
  if (end > totalBytes) damaged(file, `tensor ${name} of shape ${renderShape(shape)} ends at byte ${end} of ${totalBytes}: the file is truncated`);
}

function readTensor(tensor: Described, encoding: Encoding | undefined, offset: number): Float32Array {
  if (encoding === undefined) return damaged(tensor.file, `tensor ${tensor.name} has type ${tensor.type}, which Lockstep does not read`);
  const bytes = new Uint8Array(bytesIn(tensor, encoding));
  readInto(tensor.file, offset, bytes);
  const values = alignedFloat32Array(elementsOf(tensor.shape));
  encoding.decode(bytes, values);
  return values;
}

function damaged(path: string, reason: string, cause?: unknown): never {
  throw new LockstepError('data', `cannot use ${path} as GGUF: ${reason}`, { cause });
}
