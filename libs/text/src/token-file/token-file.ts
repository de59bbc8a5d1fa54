import { closeSync } from 'node:fs';
import { bytesOf, LockstepError } from '@lockstep/core';
import { readExactly } from './read-exactly.ts';
import { documentsOf, documentsUntilPadding, targetsOf } from './row-contents.ts';
import type { Sections, TokenFileHeader } from './token-file-header.ts';

/** Rows of tokens as a language model trains on them. */
export interface TokenRows {
  readonly numRows: number;
  /** Tokens a row. */
  readonly rowLength: number;
  /** `[numRows, rowLength]` */
  readonly tokens: Int32Array;
  /** `[numRows, rowLength]`: the token that is to be predicted at each position, or -1 where none counts. */
  readonly targets: Int32Array;
  /** `[numRows, rowLength]`: the number, from 0, of the document within its row that each position belongs to; -1 of padding. Null: every row is one document. */
  readonly documents: Int32Array | null;
}

/** Rows that are texts with a label each. */
export interface LabelledRows extends Pick<TokenRows, 'tokens' | 'rowLength'> {
  /** `[numRows, rowLength]`: 0, and -1 of padding. */
  readonly documents: Int32Array;
  /** `[numRows]` */
  readonly labels: Uint16Array;
}

/** A token file that is read by position. Only its header is held in memory; reads are synchronous. */
export interface TokenFile extends Disposable {
  readonly header: TokenFileHeader;
  /**
   * How many rows of `rowLength` it has. A `stream` is cut into rows that overlap by one token, which is the last target of one and the first
   * token of the next; what is left at the end is left out. The rows of other layouts have a length of their own, any other is a `data` error.
   */
  numRows(rowLength: number): number;
  /** The rows with these numbers, in that order, of a `stream` or `rows`. In `rows` a target counts if it is marked so and is of the same document; the last position has none. */
  readRows(rows: ArrayLike<number>, rowLength: number): TokenRows;
  /** The rows with these numbers, in that order, of a `labelled` file. */
  readLabelled(rows: ArrayLike<number>): LabelledRows;
}

/** Owns the descriptor of a file whose header has been checked. */
export class OpenTokenFile implements TokenFile {
  readonly header: TokenFileHeader;
  readonly #path: string;
  readonly #descriptor: number;
  readonly #sections: Sections;

  constructor(path: string, descriptor: number, header: TokenFileHeader, sections: Sections) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#sections = sections;
    this.header = header;
  }

  numRows(rowLength: number): number {
    const { numTokens, rowLength: own } = this.header;
    if (own === null) return Math.max(0, Math.floor((numTokens - 1) / rowLength));
    if (own !== rowLength) throw new LockstepError('data', `${this.#path}: rows of ${own} tokens, expected ${rowLength}`, { hint: `take ${own}, or make the file with --row-length ${rowLength}` });
    return numTokens / own;
  }

  readRows(rows: ArrayLike<number>, rowLength: number): TokenRows {
    const { layout } = this.header;
    if (layout === 'labelled') throw this.#wrongLayout('texts with labels', 'rows to predict tokens in');
    this.#checkRows(rows, rowLength);
    return layout === 'stream' ? this.#readStream(rows, rowLength) : this.#readPacked(rows, rowLength);
  }

  readLabelled(rows: ArrayLike<number>): LabelledRows {
    const { layout, rowLength, padding } = this.header;
    if (layout !== 'labelled') throw this.#wrongLayout('no labels', 'texts with labels');
    this.#checkRows(rows, rowLength!);
    const tokens = new Int32Array(rows.length * rowLength!);
    const labels = new Uint16Array(rows.length);
    for (let at = 0; at < rows.length; at += 1) {
      tokens.set(this.#readTokens(rows[at]! * rowLength!, rowLength!), at * rowLength!);
      labels[at] = this.#readLabel(rows[at]!);
    }
    return { tokens, labels, rowLength: rowLength!, documents: documentsUntilPadding(tokens, rowLength!, padding) };
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  #readStream(rows: ArrayLike<number>, rowLength: number): TokenRows {
    const tokens = new Int32Array(rows.length * rowLength);
    const targets = new Int32Array(tokens.length);
    for (let at = 0; at < rows.length; at += 1) {
      const read = this.#readTokens(rows[at]! * rowLength, rowLength + 1);
      tokens.set(read.subarray(0, rowLength), at * rowLength);
      targets.set(read.subarray(1), at * rowLength);
    }
    return { numRows: rows.length, rowLength, tokens, targets, documents: null };
  }

  #readPacked(rows: ArrayLike<number>, rowLength: number): TokenRows {
    const tokens = new Int32Array(rows.length * rowLength);
    const flags = new Uint8Array(tokens.length);
    for (let at = 0; at < rows.length; at += 1) {
      const from = rows[at]! * rowLength;
      tokens.set(this.#readTokens(from, rowLength), at * rowLength);
      flags.set(readExactly(this.#path, this.#descriptor, rowLength, this.#sections.side! + from), at * rowLength);
    }
    return { numRows: rows.length, rowLength, tokens, targets: targetsOf(tokens, flags, rowLength), documents: documentsOf(flags, rowLength) };
  }

  #readTokens(from: number, numTokens: number): Uint16Array | Uint32Array {
    const { tokenBytes, vocabularySize } = this.header;
    const tokens = tokenBytes === 2 ? new Uint16Array(numTokens) : new Uint32Array(numTokens);
    bytesOf(tokens).set(readExactly(this.#path, this.#descriptor, numTokens * tokenBytes, this.#sections.tokens + from * tokenBytes));
    const bad = tokens.findIndex((token) => token >= vocabularySize);
    if (bad >= 0) throw new LockstepError('data', `${this.#path}: token ${from + bad} is ${tokens[bad]}, expected less than ${vocabularySize}: the file is damaged`);
    return tokens;
  }

  #readLabel(row: number): number {
    const label = Buffer.from(readExactly(this.#path, this.#descriptor, 2, this.#sections.side! + 2 * row)).readUInt16LE();
    const numClasses = this.header.classNames!.length;
    if (label >= numClasses) throw new LockstepError('data', `${this.#path}, row ${row}: label ${label}, expected less than ${numClasses}: the file is damaged`);
    return label;
  }

  #checkRows(rows: ArrayLike<number>, rowLength: number): void {
    const numRows = this.numRows(rowLength);
    for (let at = 0; at < rows.length; at += 1) {
      if (!(rows[at]! >= 0 && rows[at]! < numRows)) throw new RangeError(`row ${rows[at]} of ${numRows}`);
    }
  }

  #wrongLayout(found: string, expected: string): LockstepError {
    return new LockstepError('data', `${this.#path}: holds ${found} (layout ${this.header.layout}), expected ${expected}`);
  }
}
