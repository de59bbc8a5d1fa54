/** Rows of tokens as a language model trains on them. */
export interface TokenBatch {
  readonly numRows: number;
  /** Tokens a row. */
  readonly rowLength: number;
  /** `[numRows, rowLength]` */
  readonly tokens: Int32Array;
  /** `[numRows, rowLength]`: the token that is to be predicted at each position, or -1 where none counts. */
  readonly targets: Int32Array;
  /**
   * `[numRows, rowLength]`: the number, from 0, of the document within its row that each position belongs to. Attention stays within a document, and
   * positions begin anew with each. Null: every row is one document.
   */
  readonly documents: Int32Array | null;
}
