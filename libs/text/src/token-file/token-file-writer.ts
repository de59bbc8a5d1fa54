import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { bytesOf, LockstepError, messageOf } from '@lockstep/core';
import { SpoolFile } from './spool-file.ts';
import { aligned, encodeHeader, PREAMBLE_BYTES, tokenBytesOf, type TokenFileHeader } from './token-file-header.ts';

/** What is known of a file before its tokens are. */
export type TokenFileDescription = Omit<TokenFileHeader, 'formatVersion' | 'tokenBytes' | 'numTokens' | 'counted'>;

export interface WrittenTokenFile {
  readonly path: string;
  readonly header: TokenFileHeader;
  readonly sha256: string;
}

/**
 * Writes a token file as its tokens come, under temporary names beside it. Only `finish` gives it its name; what is not finished is removed at
 * the end of the scope. Throws `storage` naming the file where it cannot be written.
 */
export class TokenFileWriter implements Disposable {
  readonly #path: string;
  readonly #header: TokenFileHeader;
  readonly #headerBytes: number;
  readonly #file: SpoolFile;
  /** Flags or labels, which follow all tokens. */
  readonly #side: SpoolFile | null;
  #numTokens = 0;

  constructor(path: string, description: TokenFileDescription) {
    this.#path = path;
    this.#header = { formatVersion: 1, tokenBytes: tokenBytesOf(description.vocabularySize), numTokens: 0, counted: 0, ...description };
    this.#headerBytes = longestHeaderBytes(this.#header);
    const temporary = `${path}.partial-${process.pid}-${randomBytes(4).toString('hex')}`;
    makeDirectoryOf(path);
    this.#file = new SpoolFile(temporary);
    this.#file.extendTo(aligned(PREAMBLE_BYTES + this.#headerBytes));
    this.#side = description.layout === 'stream' ? null : new SpoolFile(`${temporary}-side`);
  }

  get numTokens(): number {
    return this.#numTokens;
  }

  appendTokens(tokens: ArrayLike<number>): void {
    this.#numTokens += tokens.length;
    this.#file.append(bytesOf(this.#header.tokenBytes === 2 ? Uint16Array.from(tokens) : Uint32Array.from(tokens)));
  }

  /** Layout `rows`: one byte for each appended token. */
  appendFlags(flags: Uint8Array): void {
    this.#side!.append(flags);
  }

  /** Layout `labelled`: for each appended row. */
  appendLabel(label: number): void {
    this.#side!.append(bytesOf(Uint16Array.of(label)));
  }

  /** Gives the file its name, in place of one that had it. `counted`: how many tokens count. */
  async finish(counted: number): Promise<WrittenTokenFile> {
    const header = { ...this.#header, numTokens: this.#numTokens, counted };
    if (this.#side !== null) {
      this.#file.extendTo(aligned(this.#file.length));
      this.#file.appendFile(this.#side);
    }
    this.#file.flush();
    this.#file.overwriteStart(encodeHeader(header, this.#headerBytes));
    const sha256 = await sha256OfFile(this.#file.path);
    this.#file.sync();
    renameTo(this.#file.path, this.#path);
    return { path: this.#path, header, sha256 };
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
    this.#side?.[Symbol.dispose]();
  }
}

/** The header goes before tokens whose number is not known yet: it has room for any. */
function longestHeaderBytes(header: TokenFileHeader): number {
  const { MAX_SAFE_INTEGER } = Number;
  return Buffer.byteLength(JSON.stringify({ ...header, numTokens: MAX_SAFE_INTEGER, counted: MAX_SAFE_INTEGER }));
}

function makeDirectoryOf(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (cause) {
    throw new LockstepError('storage', `cannot make the folder of ${path}: ${messageOf(cause)}`, { cause });
  }
}

function renameTo(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (cause) {
    throw new LockstepError('storage', `cannot write ${to}: ${messageOf(cause)}`, { cause });
  }
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 ** 2 }), hash);
  return hash.digest('hex');
}
