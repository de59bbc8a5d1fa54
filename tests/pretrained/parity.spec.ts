import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { numericsSchema } from '@lockstep/core';
import { openLocalEngine } from '@lockstep/engine';
import { createGenerator, createLanguageModel, type Transformer } from '@lockstep/models';
import { exportGgufTokenizer, resolveAsset } from '@lockstep/pretrained';
import { openTokenizer, type Tokenizer } from '@lockstep/text';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** What transformers computes in float32 from the same file (libs/pretrained/reference/parity.py). */
interface Reference {
  readonly text: string;
  readonly ids: readonly number[];
  /** The most probable next token after each position. */
  readonly top: readonly number[];
  readonly meanLoss: number;
  /** The largest magnitude of all logits. */
  readonly largestLogit: number;
  readonly positions: readonly number[];
  readonly entries: readonly number[];
  /** Of those entries at those positions. */
  readonly logits: readonly (readonly number[])[];
}

const TOLERANCE = 1e-3;

describe('SmolLM2-135M', () => {
  let directory: string;
  let reference: Reference;
  let tokenizer: Tokenizer;
  let model: Transformer;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lockstep-parity-'));
    reference = JSON.parse(await readFile(new URL('../../libs/pretrained/reference/smollm2.json', import.meta.url), 'utf8')) as Reference;
    const path = await resolveAsset('asset:smollm2');
    tokenizer = openTokenizer(await exportGgufTokenizer(path, join(directory, 'tokenizer')));
    const engine = await openLocalEngine(numericsSchema.parse({}));
    model = await createLanguageModel(engine, { kind: 'pretrained', path, lora: null, trains: [], dropout: 0, recompute: false }, { vocabularySize: tokenizer.vocabularySize, seed: 0 });
  }, 180_000);
  afterAll(async () => {
    model.dispose();
    await rm(directory, { recursive: true, force: true });
  });

  it('reads the text as transformers does', () => {
    expect(tokenizer.encode(reference.text)).toEqual(reference.ids);
  });

  it('computes its logits, and the same most probable token at every position', () => {
    const generator = createGenerator(model);
    const rows = reference.ids.map((id) => generator.read(Int32Array.of(id)));
    generator.dispose();
    expect(rows.map((row) => row.indexOf(row.reduce((a, b) => Math.max(a, b))))).toEqual(reference.top);
    const differences = reference.positions.flatMap((position, index) => reference.entries.map((entry, at) => Math.abs(rows[position]![entry]! - reference.logits[index]![at]!)));
    expect(Math.max(...differences) / reference.largestLogit).toBeLessThan(TOLERANCE);
  });

  it('has its loss on the text, all positions at once', () => {
    const numTokens = reference.ids.length - 1;
    const batch = { numRows: 1, rowLength: numTokens, tokens: Int32Array.from(reference.ids.slice(0, -1)), targets: Int32Array.from(reference.ids.slice(1)), documents: null };
    const { lossSum, numExamples, numCorrect } = model.evaluate(batch);
    expect(numExamples).toBe(numTokens);
    expect(lossSum / numExamples).toBeCloseTo(reference.meanLoss, 4);
    expect(numCorrect).toBe(reference.top.slice(0, -1).filter((token, position) => token === reference.ids[position + 1]).length);
  });
});
