import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { readDocuments } from './documents.ts';
import { labelField, readRecords, textField } from './records.ts';
import type { TextSource } from './text-source.ts';

const PARQUET = join(import.meta.dirname, '..', '..', 'fixtures', 'samples.parquet');

const source = (input: string, changes: Partial<TextSource> = {}): TextSource => ({ inputs: [input], format: 'auto', field: 'text', ...changes });

async function documentsOf(input: string, changes: Partial<TextSource> = {}): Promise<string[]> {
  const documents = [''];
  for await (const { text, endsDocument } of readDocuments(source(input, changes))) {
    documents[documents.length - 1] += text;
    if (endsDocument) documents.push('');
  }
  return documents.slice(0, -1);
}

describe('documents', () => {
  it('are whole files, without their byte order mark', async () => {
    using directory = temporaryDirectory();
    const content = 'été\n😀\r\n'.repeat(60_000);
    expect(await documentsOf(directory.write('a.txt', `\ufeff${content}`))).toEqual([content]);
  });

  it('are lines, which only line feeds end', async () => {
    using directory = temporaryDirectory();
    const file = directory.write('a.txt', 'one\r\n\ntwo\u2028still two\nthree');
    expect(await documentsOf(file, { format: 'lines' })).toEqual(['one', 'two\u2028still two', 'three']);
  });

  it('are a field of JSON lines', async () => {
    using directory = temporaryDirectory();
    expect(await documentsOf(directory.write('a.jsonl', '{"text":"a\u2028b"}\n\n{"text":"c","label":1}\n'))).toEqual(['a\u2028b', 'c']);
  });

  it('are a column of Parquet, over all of its row groups', async () => {
    expect(await documentsOf(PARQUET)).toEqual(['first row', 'été 😀', 'third']);
  });

  it.each([
    ['a.txt', Buffer.from([0x61, 0xff]), /a\.txt: not UTF-8/],
    ['b.txt', Buffer.from([0x61, 0xc3]), /b\.txt: not UTF-8/],
    ['a.jsonl', '{"text":"a"}\n{"text":', /a\.jsonl, line 2: not JSON/],
    ['b.jsonl', '[1]', /b\.jsonl, line 1: \[1\], expected an object/],
    ['c.jsonl', '{"text":"a"}\n\n{"body":"b"}', /c\.jsonl, line 3: field "text" is missing, expected a text/],
    ['d.jsonl', '{"text":["a"]}', /d\.jsonl, line 1: field "text" is a list, expected a text/],
    ['a.parquet', 'PAR1 no', /a\.parquet: cannot be read/],
  ])('of a damaged %s are refused, naming the place', async (name, content, message) => {
    using directory = temporaryDirectory();
    await expect(documentsOf(directory.write(name, content))).rejects.toThrow(message);
    await expect(documentsOf(directory.file(name))).rejects.toMatchObject({ code: 'data' });
  });

  it('of a missing file or column are refused by name', async () => {
    await expect(documentsOf('no-such.txt')).rejects.toMatchObject({ code: 'not-found', message: 'no-such.txt: no such file' });
    await expect(documentsOf('no-such.parquet')).rejects.toMatchObject({ code: 'not-found' });
    await expect(documentsOf(PARQUET, { field: 'body' })).rejects.toThrow(/samples\.parquet: has the columns text, label, messages, expected body/);
  });
});

describe('samples with fields', () => {
  it('say their file and row, and give texts and labels', async () => {
    const records = await Array.fromAsync(readRecords(source(PARQUET), ['text', 'label', 'messages']));
    expect(records.map(({ origin }) => origin.slice(-21))).toEqual(['samples.parquet, row 1', 'samples.parquet, row 2', 'samples.parquet, row 3'].map((origin) => origin.slice(-21)));
    expect(records.map((record) => [textField(record, 'text'), labelField(record, 'label')])).toEqual([['first row', '2'], ['été 😀', '10'], ['third', '2']]);
    expect(records[1]!.fields['messages']).toEqual([{ role: 'user', content: 'q1' }, { role: 'assistant', content: 'a1' }]);
    expect(() => labelField(records[0]!, 'messages')).toThrow(/row 1: field "messages" is a list, expected a label/);
  });

  it('are not in plain text', async () => {
    await expect(Array.fromAsync(readRecords(source('a.txt'), ['text']))).rejects.toMatchObject({ code: 'usage', message: 'a.txt: read as text, expected samples with fields' });
  });
});
