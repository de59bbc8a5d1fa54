import { z } from 'zod';
import { LockstepError, messageOf } from '@lockstep/core';

export const MAGIC = 'LSTOKN01';
/** Sections begin at multiples of it. */
const ALIGNMENT = 64;
/** Of the magic and of the length of the header, which follow each other. */
export const PREAMBLE_BYTES = 12;
/** More than 65,536 class names need; bounds what a damaged length can cost. */
export const MAX_HEADER_BYTES = 64 * 1024 ** 2;

const count = z.int().min(0);
const token = count.max(2 ** 32 - 1);

/**
 * What a token file says of itself.
 *
 * The file, little-endian: 8 bytes `LSTOKN01`; uint32 length of the header; the header as JSON, which spaces may follow; then sections at
 * multiples of 64 bytes, with zeros between:
 * - `tokens`: `numTokens` of uint16 where the vocabulary has at most 65,536 tokens, else of uint32;
 * - layout `rows`: `flags`, one byte a token, see `TOKEN_FLAGS`;
 * - layout `labelled`: the label of each row, uint16.
 */
export const tokenFileHeaderSchema = z.strictObject({
  formatVersion: z.literal(1),
  /** `stream`: documents follow each other. `rows`: rows of whole samples and padding. `labelled`: a row is a text with a label, and padding. */
  layout: z.enum(['stream', 'rows', 'labelled']),
  vocabularySize: z.int().min(1).max(2 ** 32),
  /** Bytes a token: 2 or 4. */
  tokenBytes: z.union([z.literal(2), z.literal(4)]),
  /** With padding. */
  numTokens: count,
  /** Tokens a row; null in a `stream`, which is cut into rows when it is read. */
  rowLength: z.int().min(2).nullable(),
  /** Of the labels 0, 1, …, in layout `labelled`. */
  classNames: z.array(z.string()).min(1).max(65_536).nullable(),
  /** The token that ends a document. */
  endOfText: token.nullable(),
  /** The token that fills rows up; null in a `stream`. */
  padding: token.nullable(),
  /** What encoded the text: bytes as they are, or a `tokenizer.json` with this SHA-256. */
  tokenizer: z.strictObject({ kind: z.enum(['bytes', 'json']), sha256: z.string().regex(/^[0-9a-f]{64}$/).nullable() }),
  /** How many tokens count in the loss when they are the ones to be predicted: all of a stream, none of labelled rows. */
  counted: count,
}).superRefine((header, context) => {
  const problem = contradictionIn(header);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

export type TokenFileHeader = Readonly<z.output<typeof tokenFileHeaderSchema>>;
export type TokenLayout = TokenFileHeader['layout'];

/** Bits of a token's byte in `flags`. */
export const TOKEN_FLAGS = { counts: 1, beginsDocument: 2, padding: 4 } as const;

type HeaderFields = Pick<TokenFileHeader, 'layout' | 'vocabularySize' | 'tokenBytes' | 'numTokens' | 'rowLength' | 'classNames'>;

function contradictionIn({ layout, vocabularySize, tokenBytes, numTokens, rowLength, classNames }: HeaderFields): string | null {
  if (tokenBytes !== tokenBytesOf(vocabularySize)) return `${tokenBytes} bytes a token, expected ${tokenBytesOf(vocabularySize)} for a vocabulary of ${vocabularySize}`;
  if ((rowLength === null) !== (layout === 'stream')) return `rowLength ${rowLength} in layout ${layout}`;
  if ((classNames === null) === (layout === 'labelled')) return `${classNames === null ? 'no ' : ''}class names in layout ${layout}`;
  if (rowLength !== null && numTokens % rowLength !== 0) return `${numTokens} tokens, expected whole rows of ${rowLength}`;
  return null;
}

export function tokenBytesOf(vocabularySize: number): 2 | 4 {
  return vocabularySize <= 65_536 ? 2 : 4;
}

/** Where the sections of a file lie, in bytes, and where the file ends. */
export interface Sections {
  readonly tokens: number;
  /** `flags` or labels; null in a `stream`. */
  readonly side: number | null;
  readonly end: number;
}

export function sectionsOf({ layout, tokenBytes, numTokens, rowLength }: TokenFileHeader, headerBytes: number): Sections {
  const tokens = aligned(PREAMBLE_BYTES + headerBytes);
  const tokensEnd = tokens + numTokens * tokenBytes;
  if (layout === 'stream') return { tokens, side: null, end: tokensEnd };
  const side = aligned(tokensEnd);
  return { tokens, side, end: side + (layout === 'rows' ? numTokens : (2 * numTokens) / rowLength!) };
}

export const aligned = (position: number): number => Math.ceil(position / ALIGNMENT) * ALIGNMENT;

/** The beginning of a file, with the header's JSON filled up with spaces to `headerBytes`. */
export function encodeHeader(header: TokenFileHeader, headerBytes: number): Uint8Array {
  const bytes = Buffer.alloc(aligned(PREAMBLE_BYTES + headerBytes));
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt32LE(headerBytes, MAGIC.length);
  bytes.fill(' ', PREAMBLE_BYTES, PREAMBLE_BYTES + headerBytes);
  bytes.write(JSON.stringify(header), PREAMBLE_BYTES);
  return bytes;
}

/** Throws `data` naming the file where the JSON is none or is no header. */
export function decodeHeader(path: string, json: string): TokenFileHeader {
  try {
    return tokenFileHeaderSchema.parse(JSON.parse(json));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause).replaceAll(/\s*\n\s*/g, ' ') : messageOf(cause);
    throw new LockstepError('data', `${path}: the header of the token file is damaged: ${reason}`, { cause });
  }
}
