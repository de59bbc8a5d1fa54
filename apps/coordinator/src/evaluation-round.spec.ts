import { describe, expect, it } from 'vitest';
import { bytesOf, rankOf, sha256, uniformStream, type Rank } from '@lockstep/core';
import { evaluationPartRange, sizeOfImages } from '@lockstep/scheduling';
import { BlockShelf, type CoordinatorMessage } from '@lockstep/transport';
import { EvaluationRounds, type EvaluationRequest, type SplitEvaluation } from './evaluation-round.ts';

const NUM_CLASSES = 3;
const NUM_EXAMPLES = 2007;
const size = sizeOfImages(NUM_EXAMPLES);
const ranks = [0, 3, 5].map(rankOf);
const request: EvaluationRequest = { split: 'validation', size, numClasses: NUM_CLASSES, parameters: Float32Array.of(1, 2, 3) };

type Sent = { readonly rank: Rank; readonly evaluate: NonNullable<CoordinatorMessage['evaluate']> };

function rounds(present: readonly Rank[] = ranks) {
  const sent: Sent[] = [];
  const shelf = new BlockShelf();
  return { sent, shelf, rounds: new EvaluationRounds(shelf, () => present, (rank, { evaluate }) => sent.push({ rank, evaluate: evaluate! })) };
}

/** What any worker computes for a part: losses whose sum depends on the order of adding. */
function resultOf(evaluation: number, part: number) {
  const { from, to } = evaluationPartRange(part, size);
  const probabilities = Float32Array.from({ length: (to - from) * NUM_CLASSES }, (_, index) => from * NUM_CLASSES + index);
  return { evaluation, part, lossSum: 0.1 * 10 ** (part * 4), numCorrect: part + 1, numExamples: to - from, probabilities: Buffer.from(bytesOf(probabilities)) };
}

const digest = ({ lossSum, numCorrect, numExamples, probabilities }: SplitEvaluation) => ({ lossSum, numCorrect, numExamples, probabilities: sha256(bytesOf(probabilities)) });

describe('an evaluation', () => {
  it('asks each worker for parts of its own, all parts once, on the parameters by their hash', async () => {
    const { rounds: evaluations, sent, shelf } = rounds();
    const done = evaluations.evaluate(request);
    expect(sent.map(({ rank }) => rank)).toEqual([0, 3, 5]);
    expect(sent.flatMap(({ evaluate }) => evaluate.parts ?? []).sort()).toEqual([0, 1, 2, 3, 4]);
    for (const { evaluate } of sent) expect(evaluate).toMatchObject({ split: 'validation', parameters: { sha256: sha256(bytesOf(request.parameters)), numBytes: 12 } });
    const block = [];
    for await (const chunk of shelf.read(sha256(bytesOf(request.parameters)))) block.push(chunk);
    expect(Buffer.concat(block).equals(bytesOf(request.parameters))).toBe(true);
    for (let part = 0; part < 5; part += 1) evaluations.take(resultOf(sent[0]!.evaluate.evaluation!, part));
    await done;
    await expect(shelf.read(sha256(bytesOf(request.parameters))).next()).rejects.toMatchObject({ code: 'not-found' });
  });

  it('adds in part order, whatever the order of arrival, and puts predictions in their place', async () => {
    const results: ReturnType<typeof digest>[] = [];
    for (let shuffle = 0; shuffle < 10; shuffle += 1) {
      const { rounds: evaluations, sent } = rounds();
      const done = evaluations.evaluate(request);
      const draw = uniformStream(shuffle);
      const parts = [0, 1, 2, 3, 4].map((part) => ({ part, key: draw() })).sort((a, b) => a.key - b.key);
      for (const { part } of parts) evaluations.take(resultOf(sent[0]!.evaluate.evaluation!, part));
      const result = await done;
      expect(result.probabilities.every((value, index) => value === index)).toBe(true);
      results.push(digest(result));
    }
    expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
    expect(results[0]).toMatchObject({ numCorrect: 15, numExamples: NUM_EXAMPLES, lossSum: [0, 1, 2, 3, 4].reduce((sum, part) => sum + 0.1 * 10 ** (part * 4), 0) });
  });

  it('counts a part that comes twice once, and ignores what belongs to none that is under way', async () => {
    const { rounds: evaluations, sent } = rounds();
    const done = evaluations.evaluate(request);
    const evaluation = sent[0]!.evaluate.evaluation!;
    for (const part of [0, 0, 1, 1, 2]) evaluations.take(resultOf(evaluation, part));
    for (let part = 0; part < 5; part += 1) evaluations.take({ ...resultOf(evaluation + 1, part), numCorrect: 1000 });
    for (const part of [3, 4]) evaluations.take(resultOf(evaluation, part));
    expect((await done).numCorrect).toBe(15);
    evaluations.take(resultOf(evaluation, 0));
  });

  it('is told apart from another that runs at the same time', async () => {
    const { rounds: evaluations, sent } = rounds([rankOf(0)]);
    const first = evaluations.evaluate(request);
    const second = evaluations.evaluate({ ...request, split: 'test', parameters: Float32Array.of(4) });
    const [one, two] = sent.map(({ evaluate }) => evaluate.evaluation!);
    for (let part = 0; part < 5; part += 1) {
      evaluations.take({ ...resultOf(two!, part), numCorrect: 2 });
      evaluations.take({ ...resultOf(one!, part), numCorrect: 1 });
    }
    expect([(await first).numCorrect, (await second).numCorrect]).toEqual([5, 10]);
  });

  it('asks others for what a lost worker has not told, once', async () => {
    const present = [...ranks];
    const { rounds: evaluations, sent } = rounds(present);
    const done = evaluations.evaluate(request);
    const evaluation = sent[0]!.evaluate.evaluation!;
    evaluations.take(resultOf(evaluation, 0));
    present.shift();
    evaluations.lost(ranks[0]!);
    const again = sent.splice(3);
    expect(again.flatMap(({ evaluate }) => evaluate.parts)).toEqual([3]);
    expect(again.map(({ rank }) => rank)).not.toContain(ranks[0]);
    for (const part of [1, 2, 3, 4, 3]) evaluations.take(resultOf(evaluation, part));
    expect((await done).numCorrect).toBe(15);
  });

  it('asks again for what a worker was asked on a connection that it has given up', async () => {
    const { rounds: evaluations, sent } = rounds();
    const done = evaluations.evaluate(request);
    const evaluation = sent[0]!.evaluate.evaluation!;
    evaluations.take(resultOf(evaluation, 0));
    const before = sent.splice(0).find(({ rank }) => rank === ranks[0])!.evaluate.parts;
    evaluations.joined(ranks[0]!);
    expect(before).toEqual([0, 3]);
    expect(sent.flatMap(({ evaluate }) => evaluate.parts)).toEqual([3]);
    for (const part of [1, 2, 3, 4]) evaluations.take(resultOf(evaluation, part));
    expect((await done).numCorrect).toBe(15);
  });

  it('waits for a worker where there is none', async () => {
    const present: Rank[] = [];
    const { rounds: evaluations, sent } = rounds(present);
    const done = evaluations.evaluate(request);
    expect(sent).toEqual([]);
    present.push(rankOf(4));
    evaluations.joined(rankOf(4));
    expect(sent.filter(({ rank }) => rank === 4).flatMap(({ evaluate }) => evaluate.parts)).toEqual([0, 1, 2, 3, 4]);
    for (let part = 0; part < 5; part += 1) evaluations.take(resultOf(sent[0]!.evaluate.evaluation!, part));
    expect((await done).numCorrect).toBe(15);
  });
});
