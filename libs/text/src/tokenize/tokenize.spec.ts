import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256 } from '@lockstep/core';
import { temporaryDirectory, type TemporaryDirectory } from '../testing/temporary-directory.ts';
import { trainedTokenizer } from '../testing/trained-tokenizer.ts';
import { openTokenFile } from '../token-file/open-token-file.ts';
import { openTokenizer } from '../tokenizer/open-tokenizer.ts';
import type { TokenizeJob } from './tokenize-job.ts';
import { tokenizeLabelled } from './tokenize-labelled.ts';
import { tokenizeChats, tokenizeDocuments } from './tokenize-rows.ts';
import { tokenizeStream } from './tokenize-stream.ts';
import { trainTokenizer } from './train-tokenizer.ts';

const PARQUET = join(import.meta.dirname, '..', '..', 'fixtures', 'samples.parquet');

function jobOf(directory: TemporaryDirectory, input: string, changes: Partial<TokenizeJob> = {}): TokenizeJob {
  return { inputs: [input], format: 'auto', field: 'text', out: directory.file('text.tokens'), tokenizer: openTokenizer('bytes'), ...changes };
}

function tokensOf(path: string, rowLength: number): number[] {
  using file = openTokenFile(path);
  return [...file.readRows([...Array(file.numRows(rowLength)).keys()], rowLength).tokens];
}

describe('a stream', () => {
  it('holds the documents of all files, each with its end', async () => {
    using directory = temporaryDirectory();
    const inputs = [directory.write('a.txt', 'été'), directory.write('b.jsonl', '{"text":"x"}\n{"text":"yz"}')];
    const summary = await tokenizeStream(jobOf(directory, '', { inputs }));
    expect(tokensOf(summary.path, 9)).toEqual([...Buffer.from('été'), 256, 120, 256, 121]);
    expect(summary).toMatchObject({ numDocuments: 3, numTokens: 11, textBytes: 8, numCut: 0, sha256: sha256(readFileSync(summary.path)) });
    expect(summary.header).toMatchObject({ layout: 'stream', vocabularySize: 257, tokenBytes: 2, numTokens: 11, counted: 11, endOfText: 256, tokenizer: { kind: 'bytes', sha256: null } });
    expect(readdirSync(directory.path).sort()).toEqual(['a.txt', 'b.jsonl', 'text.tokens']);
  });

  it('of a long text is that of the whole text', async () => {
    using directory = temporaryDirectory();
    const tokenizer = trainedTokenizer(directory);
    const text = 'the cats sat on 12 mats, été.\n\n  the cat '.repeat(5000);
    const { path, numTokens } = await tokenizeStream(jobOf(directory, directory.write('a.txt', text), { tokenizer }));
    const expected = [...tokenizer.encode(text), 0];
    expect(numTokens).toBe(expected.length);
    expect(tokensOf(path, expected.length - 1)).toEqual(expected.slice(0, -1));
  });

  it('leaves nothing behind of an input that is damaged, missing or empty, nor where it is aborted', async () => {
    using directory = temporaryDirectory();
    const bad = directory.write('bad.jsonl', '{"text":"a"}\n{"body":"b"}');
    const empty = directory.write('empty.txt', '');
    await expect(tokenizeStream(jobOf(directory, bad))).rejects.toThrow(/bad\.jsonl, line 2/);
    await expect(tokenizeStream(jobOf(directory, directory.file('no.txt')))).rejects.toMatchObject({ code: 'not-found' });
    await expect(tokenizeStream(jobOf(directory, empty))).rejects.toThrow(/empty\.txt: no text/);
    await expect(tokenizeStream(jobOf(directory, bad, { signal: AbortSignal.abort(new Error('stopped')) }))).rejects.toThrow('stopped');
    expect(readdirSync(directory.path).sort()).toEqual(['bad.jsonl', 'empty.txt']);
  });

  it('that cannot be written is named', async () => {
    using directory = temporaryDirectory();
    const input = directory.write('a.txt', 'a');
    await expect(tokenizeStream(jobOf(directory, input, { out: join(input, 'b.tokens') }))).rejects.toMatchObject({ code: 'storage' });
  });
});

describe('rows', () => {
  it('of chats count the answers only', async () => {
    using directory = temporaryDirectory();
    const tokenizer = trainedTokenizer(directory);
    const summary = await tokenizeChats({ ...jobOf(directory, PARQUET, { tokenizer }), rowLength: 128 });
    using file = openTokenFile(summary.path);
    const { targets, documents } = file.readRows([0], 128);
    expect(tokenizer.decode([...targets].filter((target) => target >= 0))).toBe('a0<|im_end|>a1<|im_end|>a2<|im_end|>');
    expect(new Set(documents)).toEqual(new Set([0, 1, 2, -1]));
    expect(summary).toMatchObject({ numDocuments: 3, numCut: 0, header: { layout: 'rows', rowLength: 128, numTokens: 128, counted: 9 } });
  });

  it('name the sample that a template does not take', async () => {
    using directory = temporaryDirectory();
    const tokenizer = openTokenizer('bytes', { chatTemplate: "{{ raise_exception('no') }}" });
    await expect(tokenizeChats({ ...jobOf(directory, PARQUET, { tokenizer }), rowLength: 64 })).rejects.toThrow(/samples\.parquet, row 1: the chat template does not take this conversation: no/);
  });

  it('of documents hold each in one row, and count those that are cut', async () => {
    using directory = temporaryDirectory();
    const summary = await tokenizeDocuments({ ...jobOf(directory, directory.write('a.txt', 'ab\nabcdefgh\nc'), { format: 'lines' }), rowLength: 5 });
    using file = openTokenFile(summary.path);
    const { tokens, targets } = file.readRows([0, 1], 5);
    const [a, b, c, d, e, end] = [...Buffer.from('abcde'), 256] as [number, number, number, number, number, number];
    expect([...tokens]).toEqual([a, b, c, d, e, a, b, end, c, end]);
    expect([...targets]).toEqual([b, c, d, e, -1, b, end, -1, end, -1]);
    expect(summary).toMatchObject({ numDocuments: 3, numCut: 1, numTokens: 10 });
  });
});

describe('labelled texts', () => {
  it('are a row each, padded or cut, with their classes in order', async () => {
    using directory = temporaryDirectory();
    const summary = await tokenizeLabelled({ ...jobOf(directory, PARQUET), rowLength: 6, labelField: 'label' });
    using file = openTokenFile(summary.path);
    const { tokens, labels } = file.readLabelled([2, 0]);
    expect([...tokens]).toEqual([...Buffer.from('third'), 256, ...Buffer.from('first ')]);
    expect([...labels]).toEqual([0, 0]);
    expect(file.header.classNames).toEqual(['2', '10']);
    expect(summary).toMatchObject({ numDocuments: 3, numCut: 2, numTokens: 17, header: { layout: 'labelled', counted: 0 } });
  });
});

describe('a tokenizer that is trained on the input', () => {
  it('is the same however often, encodes the input in fewer tokens than bytes, and replaces no other', async () => {
    using directory = temporaryDirectory();
    const job = { ...jobOf(directory, directory.write('a.txt', 'the cat sat on the mat. '.repeat(50))), vocabularySize: 280, chat: false };
    const path = await trainTokenizer(job);
    expect(path).toBe(directory.file('tokenizer.json'));
    await expect(trainTokenizer(job)).resolves.toBe(path);
    const { numTokens, textBytes } = await tokenizeStream({ ...job, tokenizer: openTokenizer(path) });
    expect(textBytes / numTokens).toBeGreaterThan(2.5);
    await expect(trainTokenizer({ ...job, vocabularySize: 270 })).rejects.toThrow(/tokenizer\.json: there is another tokenizer already/);
    await expect(trainTokenizer({ ...job, vocabularySize: 258 })).rejects.toThrow(/expected at least 259/);
  });

  it('learns from the words of chats', async () => {
    using directory = temporaryDirectory();
    const path = await trainTokenizer({ ...jobOf(directory, PARQUET), vocabularySize: 300, chat: true });
    expect(openTokenizer(path).vocabularySize).toBe(259);
  });
});
