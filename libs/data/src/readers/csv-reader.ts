import { LockstepError, type DataSource } from '@lockstep/core';
import type { Fault, SampleOrigin } from '../cleaning-report.ts';
import { readCsvRow, type CsvRow } from './csv-row.ts';
import { readWholeFile } from './open-file.ts';
import { numberedClasses, throwIfAborted, type ReadContext, type SourcePart, type SourceParts } from './source-parts.ts';

const NEWLINE = 0x0a;
const MAX_SIDE = 512;
const ROWS_PER_SLICE = 1000;

/** Reads Kaggle's layout: a line a sample, `label,pixel0,…` of a square grey image, with or without a header. */
export async function readCsv(source: Extract<DataSource, { kind: 'csv' }>, context: ReadContext): Promise<SourceParts> {
  const training = await readCsvFile(source.training, context);
  const test = source.test === undefined ? null : await readCsvFile(source.test, context);
  return { training, test, classNames: numberedClasses(context.config.numClasses) };
}

async function readCsvFile(file: string, context: ReadContext): Promise<SourcePart> {
  const content = await readWholeFile(file, context.signal);
  const table = new CsvTable(file, context);
  let line = 0;
  for (let from = hasByteOrderMark(content) ? 3 : 0; from < content.length; line += 1) {
    const newline = content.indexOf(NEWLINE, from);
    const to = newline < 0 ? content.length : newline;
    table.addLine(content, from, to, line + 1);
    from = to + 1;
    if (line % ROWS_PER_SLICE === ROWS_PER_SLICE - 1) await pause(context, from, content.length, file);
  }
  context.onProgress(content.length, content.length, file);
  return table.finish();
}

async function pause(context: ReadContext, done: number, total: number, file: string): Promise<void> {
  context.onProgress(done, total, file);
  await new Promise((resolve) => setImmediate(resolve));
  throwIfAborted(context.signal);
}

function hasByteOrderMark(content: Uint8Array): boolean {
  return content[0] === 0xef && content[1] === 0xbb && content[2] === 0xbf;
}

/** The samples of one file, growing line by line. */
class CsvTable {
  readonly #file: string;
  readonly #context: ReadContext;
  #side = 0;
  #values = new Int32Array(MAX_SIDE * MAX_SIDE + 1);
  #images = new Uint8Array(0);
  readonly #labels: number[] = [];
  readonly #lines: number[] = [];
  #numRead = 0;

  constructor(file: string, context: ReadContext) {
    this.#file = file;
    this.#context = context;
  }

  addLine(content: Uint8Array, from: number, to: number, line: number): void {
    const row = readCsvRow(content, from, to, this.#values);
    if (isEmpty(row)) return;
    if (this.#side === 0 && row.kind !== 'unreadable') {
      this.#setSide(row.numColumns, line);
      if (isHeader(row)) return;
    }
    this.#numRead += 1;
    const problem = this.#problemOf(row);
    if (problem === null) this.#keep(line);
    else this.#context.log.drop(problem.fault, { file: this.#file, row: line }, problem.detail);
  }

  finish(): SourcePart {
    if (this.#side === 0) throw new LockstepError('data', `${this.#file}: holds no sample, expected lines of label,pixel0,…`);
    const imageShape = { height: this.#side, width: this.#side, channels: 1 };
    const numExamples = this.#labels.length;
    const images = this.#images.subarray(0, numExamples * this.#side * this.#side);
    const originOf = (index: number): SampleOrigin => ({ file: this.#file, row: this.#lines[index]! });
    return { dataset: { images, labels: Uint8Array.from(this.#labels), imageShape, numExamples }, numRead: this.#numRead, originOf };
  }

  /** The header, or without one the first line, says how many columns every line has. */
  #setSide(numColumns: number, line: number): void {
    const side = Math.sqrt(numColumns - 1);
    if (!Number.isInteger(side) || side < 2 || side > MAX_SIDE) {
      throw new LockstepError('data', `${this.#file}, row ${line}: ${numColumns} columns, expected a label and the pixels of a square image (785 for 28x28)`, {
        hint: numColumns === 784 ? "Kaggle's test.csv has no labels: leave it out, and a part of the training file is split off" : 'one line is label,pixel0,pixel1,…',
      });
    }
    this.#side = side;
    this.#values = this.#values.slice(0, numColumns);
  }

  #problemOf(row: CsvRow): { fault: Fault; detail: string } | null {
    if (row.kind === 'unreadable') return { fault: 'unreadable', detail: row.reason };
    const expected = this.#values.length;
    if (row.numColumns < expected) return { fault: 'missing-columns', detail: `${row.numColumns} columns, expected ${expected}` };
    if (row.numColumns > expected) return { fault: 'extra-columns', detail: `${row.numColumns} columns, expected ${expected}` };
    return (row.kind === 'text' ? this.#parseCells(row.cells) : null) ?? this.#outOfRange();
  }

  #parseCells(cells: readonly string[]): { fault: Fault; detail: string } | null {
    for (let column = 0; column < cells.length; column += 1) {
      const value = cells[column] === '' ? NaN : Number(cells[column]);
      if (!Number.isInteger(value)) return { fault: 'not-a-number', detail: `${columnName(column)} is "${cells[column]!.slice(0, 20)}", expected an integer` };
      this.#values[column] = Math.max(-1, Math.min(value, 999_999_999));
    }
    return null;
  }

  #outOfRange(): { fault: Fault; detail: string } | null {
    const label = this.#values[0]!;
    const { numClasses } = this.#context.config;
    if (label < 0 || label >= numClasses) return { fault: 'label-out-of-range', detail: `label ${label}, expected 0 to ${numClasses - 1}` };
    for (let column = 1; column < this.#values.length; column += 1) {
      const value = this.#values[column]!;
      if (value < 0 || value > 255) return { fault: 'pixel-out-of-range', detail: `${columnName(column)} is ${value}, expected 0 to 255` };
    }
    return null;
  }

  #keep(line: number): void {
    const length = this.#side * this.#side;
    const at = this.#labels.length * length;
    if (at + length > this.#images.length) this.#images = grown(this.#images, Math.max(1024 * length, 2 * this.#images.length));
    for (let pixel = 0; pixel < length; pixel += 1) this.#images[at + pixel] = this.#values[pixel + 1]!;
    this.#labels.push(this.#values[0]!);
    this.#lines.push(line);
  }
}

function isEmpty(row: CsvRow): boolean {
  return row.kind === 'text' && (row.numColumns === 0 || (row.numColumns === 1 && row.cells[0] === ''));
}

function isHeader(row: CsvRow): boolean {
  return row.kind === 'text' && row.cells[0] !== '' && Number.isNaN(Number(row.cells[0]));
}

function columnName(column: number): string {
  return column === 0 ? 'label' : `pixel${column - 1}`;
}

function grown(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(bytes);
  return larger;
}
