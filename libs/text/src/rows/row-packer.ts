import { TOKEN_FLAGS } from '../token-file/token-file-header.ts';
import type { EncodedSample } from './encoded-sample.ts';

/** A row of exactly `rowLength` tokens, with the flags of each. */
export interface PackedRow {
  readonly tokens: Uint32Array;
  readonly flags: Uint8Array;
}

export interface PackingOptions {
  readonly rowLength: number;
  /** The token that fills rows up. */
  readonly padding: number;
  /** So many rows are kept open at most; the oldest goes first. */
  readonly maxOpenRows?: number;
}

interface OpenRow extends PackedRow {
  length: number;
}

/**
 * Packs samples into rows, each whole in one row: in the order they come, a sample goes to the first row that has room for it. Rows are
 * given away, by `onRow`, when they are full, or too many are open, or at the end, the oldest first. The same samples give the same rows.
 */
export class RowPacker {
  readonly #options: Required<PackingOptions>;
  readonly #onRow: (row: PackedRow) => void;
  #open: OpenRow[] = [];

  constructor(options: PackingOptions, onRow: (row: PackedRow) => void) {
    this.#options = { maxOpenRows: 256, ...options };
    this.#onRow = onRow;
  }

  /** Returns whether the sample was longer than a row, and so was cut. */
  add(sample: EncodedSample): boolean {
    const { rowLength } = this.#options;
    const length = Math.min(sample.tokens.length, rowLength);
    const row = this.#open.find((candidate) => candidate.length + length <= rowLength) ?? this.#openRow();
    place(sample, row, length);
    if (row.length === rowLength) this.#close(row);
    else if (this.#open.length > this.#options.maxOpenRows) this.#close(this.#open[0]!);
    return sample.tokens.length > rowLength;
  }

  finish(): void {
    while (this.#open.length > 0) this.#close(this.#open[0]!);
  }

  #openRow(): OpenRow {
    const { rowLength, padding } = this.#options;
    const row = { tokens: new Uint32Array(rowLength).fill(padding), flags: new Uint8Array(rowLength).fill(TOKEN_FLAGS.padding), length: 0 };
    this.#open.push(row);
    return row;
  }

  #close(row: OpenRow): void {
    this.#open = this.#open.filter((other) => other !== row);
    this.#onRow(row);
  }
}

/** Nothing comes before a document's first token to predict it from, so that never counts. */
function place({ tokens, counts }: EncodedSample, row: OpenRow, length: number): void {
  for (let at = 0; at < length; at += 1) {
    row.tokens[row.length + at] = tokens[at]!;
    row.flags[row.length + at] = at === 0 ? TOKEN_FLAGS.beginsDocument : counts[at]! ? TOKEN_FLAGS.counts : 0;
  }
  row.length += length;
}
