import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTokenFile } from '@lockstep/text';
import { renderSummary } from './render-summary.ts';
import { tokenizeFiles } from './tokenize-files.ts';
import { kindOf, type TokenizeFlags } from './tokenize-options.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-tokenize-'));
  await writeFile(join(directory, 'chats.jsonl'), Array.from({ length: 20 }, (_, at) => JSON.stringify({ prompt: `question ${at}`, completion: `answer ${at}` })).join('\n'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const flagsOf = (changes: Partial<TokenizeFlags>): TokenizeFlags => ({ out: join(directory, 'text.tokens'), format: 'auto', field: 'text', ...changes });

it('trains a tokenizer on chats, packs them, and says what came of it', async () => {
  const reports: [number, number, string][] = [];
  const progress = { report: (...report: [number, number, string]) => void reports.push(report), stop: () => undefined };
  const input = join(directory, 'chats.jsonl');
  const result = await tokenizeFiles([input], flagsOf({ chat: true, rowLength: 64, trainBpe: 270 }), progress, new AbortController().signal);
  expect((await readdir(directory)).sort()).toEqual(['chats.jsonl', 'text.tokens', 'tokenizer.json']);
  expect(reports.at(-1)).toEqual([reports[0]![1], reports[0]![1], input]);
  using file = openTokenFile(result.path);
  const words = renderSummary(result).split('\n').map((line) => line.split(/\s+/, 2).join(' '));
  expect(words).toEqual([`tokenizer ${join(directory, 'tokenizer.json')},`, 'documents 20', `tokens ${result.numTokens.toLocaleString('en')},`, `count ${file.header.counted}`, `rows ${file.numRows(64)}`, `file ${result.path}`, `SHA-256 ${result.sha256}`]);
});

describe('flags', () => {
  it.each([
    [{}, { kind: 'stream' }],
    [{ rowLength: 8 }, { kind: 'documents', rowLength: 8 }],
    [{ chat: true, rowLength: 8 }, { kind: 'chats', rowLength: 8 }],
    [{ labels: 'class', rowLength: 8 }, { kind: 'labelled', labelField: 'class', rowLength: 8 }],
  ] as const)('%j make a token file of the kind %j', (flags, kind) => {
    expect(kindOf(flagsOf(flags))).toEqual(kind);
  });

  it.each([
    [{ chat: true }, /--chat without --row-length/],
    [{ labels: 'class' }, /--labels without --row-length/],
    [{ chat: true, labels: 'class', rowLength: 8 }, /--chat and --labels/],
    [{ chatTemplate: 'x.jinja' }, /--chat-template without --chat/],
    [{ tokenizer: 'bytes', trainBpe: 300 }, /--tokenizer and --train-bpe/],
  ] as const)('%j are refused', (flags, message) => {
    expect(() => kindOf(flagsOf(flags))).toThrow(message);
  });
});
