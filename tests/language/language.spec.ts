import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TokenFileWriter } from '@lockstep/text';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeSafetensors } from '@lockstep/checkpoint';
import type { EndEvent, EpochEvent, RunEvent } from '@lockstep/core';
import { lockstep } from '../cli/lockstep.ts';
import { lockstepEvents, LockstepProcess } from '../support/processes.ts';

const CONFIG = join(import.meta.dirname, 'gpt.config.ts');
const ROW = 32;
const VOCABULARY = 257;
const REPEATED = 300;
const TEXT = 'the quick brown fox jumps over the lazy dog, and the dog sleeps on. ';

let directory: string;
let tokens: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-language-'));
  tokens = await writeText(join(directory, 'text.tokens'), TEXT.repeat(REPEATED));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A text as its bytes. */
async function writeText(path: string, text: string): Promise<string> {
  using writer = new TokenFileWriter(path, { layout: 'stream', vocabularySize: VOCABULARY, rowLength: null, classNames: null, endOfText: 256, padding: null, tokenizer: { kind: 'bytes', sha256: null } });
  const bytes = Buffer.from(text);
  writer.appendTokens([...bytes, 256]);
  await writer.finish(bytes.length + 1);
  return path;
}

const argumentsOf = (run: string): string[] =>
  ['--config', CONFIG, '--data', `tokens:${tokens}`, '--data.source.row-length', String(ROW), '--data.validation', '0.1', '--runs-dir', directory, '--run', run];

async function train(name: string, ...flags: readonly string[]): Promise<readonly RunEvent[]> {
  const { exitCode, stderr, events } = await lockstepEvents('train', ...argumentsOf(name), ...flags);
  expect({ exitCode, stderr }, name).toEqual({ exitCode: 0, stderr: '' });
  return events;
}

const endOf = (events: readonly RunEvent[]): EndEvent => events.find((event) => event.event === 'end')!;
const epochsOf = (events: readonly RunEvent[]): readonly EpochEvent[] => events.filter((event) => event.event === 'epoch');
const measured = ({ loss, accuracy, validation, parametersSha256 }: EpochEvent) => ({ loss, accuracy, validation, parametersSha256 });

describe('a GPT from scratch', () => {
  let one: readonly RunEvent[];
  beforeAll(async () => {
    one = await train('one', '--workers', '1');
  }, 120_000);

  it('learns the text, and every epoch predicts every token of its rows once', () => {
    const [first, second] = epochsOf(one);
    expect(second!.validation!.loss).toBeLessThan(first!.validation!.loss);
    const start = one.find((event) => event.event === 'start')!;
    expect(start).toMatchObject({ examples: 'tokens', classNames: [] });
    expect(endOf(one)).toMatchObject({ examples: 'tokens', trainExamples: 2 * ROW * start.trainSamples });
    expect(start.trainSamples + start.validationSamples + start.testSamples).toBe(Math.floor((REPEATED * TEXT.length) / ROW));
  });

  it.each([
    ['two workers', ['--workers', '2']],
    ['three workers, two shards, no shared memory', ['--workers', '3', '--shards', '2', '--no-shared-memory']],
    ['shards on workers with replicas', ['--workers', '2', '--shard-hosts', 'workers', '--replicas', '1']],
  ] as const)('ends with the same bytes and losses by %s', async (name, flags) => {
    const events = await train(name.replaceAll(/\W+/g, '-'), ...flags);
    expect({ sha256: endOf(events).parametersSha256, test: endOf(events).test }).toEqual({ sha256: endOf(one).parametersSha256, test: endOf(one).test });
    expect(epochsOf(events).map(measured)).toEqual(epochsOf(one).map(measured));
  }, 120_000);

  it('goes on after it was interrupted as if it had not been', async () => {
    const cut = new LockstepProcess(['train', ...argumentsOf('cut'), '--workers', '2', '--json']);
    await cut.event('step', ({ step }) => step >= 8);
    cut.child.kill('SIGINT');
    expect((await cut.ended).exitCode).not.toBe(0);
    const { exitCode, events } = await lockstepEvents('train', '--resume', 'cut', '--runs-dir', directory, '--workers', '3');
    expect(exitCode).toBe(0);
    expect(endOf(events).parametersSha256).toBe(endOf(one).parametersSha256);
  }, 120_000);

  it('leaves its tensors by name, its evaluation and its report', async () => {
    const run = join(directory, 'one');
    const { tensors, metadata } = decodeSafetensors(await readFile(join(run, 'model.safetensors')));
    expect(tensors.find(({ name }) => name === 'model.embed_tokens.weight')?.shape).toEqual([VOCABULARY, 32]);
    expect(JSON.parse(metadata['model'] ?? '')).toMatchObject({ architecture: { vocabularySize: VOCABULARY, depth: 2 } });
    const { perplexity, loss } = JSON.parse(await readFile(join(run, 'evaluation.json'), 'utf8')) as { perplexity: number; loss: number };
    expect(perplexity).toBeCloseTo(Math.exp(loss), 6);
    expect(await readFile(join(run, 'report.html'), 'utf8')).toContain('Test perplexity');
  });

  it('is evaluated again with the same figures', async () => {
    const { exitCode, stdout } = await lockstep('evaluate', 'one', '--runs-dir', directory, '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(await readFile(join(directory, 'one', 'evaluation.json'), 'utf8')));
  });
});

describe('a config that does not fit its tokens', () => {
  it.each([
    ['a model of images', ['--model', 'mlp'], 'model.kind: got "mlp", expected a transformer or pretrained model for data of tokens'],
    ['heads that do not divide the width', ['--model.heads', '5'], 'model.heads: got 5, expected a divisor of model.width (32)'],
    ['rows longer than the context', ['--data.source.row-length', '33'], 'data.source.rowLength: got 33, expected at most model.contextLength (32)'],
    ['what only images have', ['--data.limit', '5'], 'data.limit: got 5, expected nothing for data of tokens'],
  ])('is refused before any work: %s', async (_, flags, message) => {
    const { exitCode, stderr } = await lockstep('train', '--config', CONFIG, '--data', `tokens:${tokens}`, '--data.source.row-length', '32', ...flags);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });

  it('is refused: no such file', async () => {
    const { exitCode, stderr } = await lockstep('train', '--config', CONFIG, '--data', `tokens:${join(directory, 'none.tokens')}`, '--data.source.row-length', '32', '--runs-dir', directory);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('none.tokens');
  });
});
