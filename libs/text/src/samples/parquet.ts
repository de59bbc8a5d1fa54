import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema, type AsyncBuffer, type FileMetaData } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { LockstepError } from '@lockstep/core';
import { fileError } from './file-error.ts';
import type { SampleRecord } from './records.ts';
import type { TextSource } from './text-source.ts';

/** The rows of a Parquet file, a row group in memory at a time, with those of the fields that it has. Throws `not-found` or `data` naming the file. */
export async function* readParquetRows(path: string, fields: readonly string[], { onProgress, signal }: TextSource): AsyncGenerator<SampleRecord> {
  const { file, metadata } = await openParquet(path);
  const columns = chooseColumns(path, metadata, fields);
  const numRows = Number(metadata.num_rows);
  let rowStart = 0;
  for (const { num_rows: groupRows } of metadata.row_groups) {
    signal?.throwIfAborted();
    const rowEnd = rowStart + Number(groupRows);
    const rows = await parquetReadObjects({ file, metadata, columns, rowStart, rowEnd, compressors }).catch((error: unknown) => { throw fileError(path, error); });
    for (const [at, row] of rows.entries()) yield { fields: row, origin: `${path}, row ${rowStart + at + 1}` };
    onProgress?.(rowEnd, numRows, path);
    rowStart = rowEnd;
  }
}

async function openParquet(path: string): Promise<{ file: AsyncBuffer; metadata: FileMetaData }> {
  try {
    const file = await asyncBufferFromFile(path);
    return { file, metadata: await parquetMetadataAsync(file) };
  } catch (error) {
    throw fileError(path, error);
  }
}

function chooseColumns(path: string, metadata: FileMetaData, fields: readonly string[]): string[] {
  const names = parquetSchema(metadata).children.map(({ element }) => element.name);
  const columns = fields.filter((field) => names.includes(field));
  if (columns.length > 0) return columns;
  throw new LockstepError('data', `${path}: has the columns ${names.join(', ')}, expected ${fields.join(', ')}`);
}
