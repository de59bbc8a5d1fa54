import { readLines } from './lines.ts';
import { readRecords, textField } from './records.ts';
import { readTextChunks } from './text-chunks.ts';
import { formatOf, type TextSource } from './text-source.ts';

/** A document, or a part of one that is too long to be held. */
export interface DocumentPart {
  readonly text: string;
  readonly endsDocument: boolean;
}

/** The documents of all files, in order. Empty lines are none. Throws `data` or `not-found` naming file, line or row, and field. */
export async function* readDocuments(source: TextSource): AsyncGenerator<DocumentPart> {
  for (const file of source.inputs) yield* readFileDocuments(file, source);
}

async function* readFileDocuments(file: string, source: TextSource): AsyncGenerator<DocumentPart> {
  switch (formatOf(file, source.format)) {
    case 'text': {
      for await (const text of readTextChunks(file, source)) yield { text, endsDocument: false };
      yield { text: '', endsDocument: true };
      break;
    }
    case 'lines': {
      for await (const { text } of readLines(file, source)) if (text !== '') yield { text, endsDocument: true };
      break;
    }
    case 'jsonl':
    case 'parquet':
      for await (const record of readRecords({ ...source, inputs: [file] }, [source.field])) yield { text: textField(record, source.field), endsDocument: true };
  }
}
