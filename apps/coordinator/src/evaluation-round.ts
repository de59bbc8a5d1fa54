import { bytesOf, LockstepError, type Rank } from '@lockstep/core';
import { dealParts, evaluationPartRange, numEvaluationParts } from '@lockstep/scheduling';
import type { BlockShelf, CoordinatorMessage, EvaluationPartMessage } from '@lockstep/transport';

/** A split's evaluation, its sums added in part order whoever computed them. */
export interface SplitEvaluation {
  readonly lossSum: number;
  readonly numCorrect: number;
  readonly numExamples: number;
  /** `[numExamples, numClasses]` */
  readonly probabilities: Float32Array;
}

export interface EvaluationRequest {
  readonly split: 'validation' | 'test';
  readonly numExamples: number;
  readonly numClasses: number;
  readonly parameters: Float32Array;
}

interface Round {
  readonly request: EvaluationRequest;
  readonly parts: Map<number, EvaluationPartMessage>;
  readonly done: PromiseWithResolvers<SplitEvaluation>;
}

/** Has the workers evaluate a split, each some parts of it. */
export class EvaluationRounds {
  readonly #shelf: BlockShelf;
  readonly #send: (rank: Rank, message: CoordinatorMessage) => void;
  readonly #rounds = new Map<number, Round>();
  #next = 0;

  constructor(shelf: BlockShelf, send: (rank: Rank, message: CoordinatorMessage) => void) {
    this.#shelf = shelf;
    this.#send = send;
  }

  async evaluate(request: EvaluationRequest, ranks: readonly Rank[]): Promise<SplitEvaluation> {
    const evaluation = this.#next;
    this.#next += 1;
    const block = this.#shelf.put(bytesOf(request.parameters));
    const round: Round = { request, parts: new Map(), done: Promise.withResolvers() };
    this.#rounds.set(evaluation, round);
    for (const [rank, parts] of dealParts(numEvaluationParts(request.numExamples), ranks)) {
      if (parts.length > 0) this.#send(rank, { evaluate: { evaluation, split: request.split, parameters: block, parts: [...parts] } });
    }
    try {
      return await round.done.promise;
    } finally {
      this.#rounds.delete(evaluation);
      this.#shelf.remove(block.sha256);
    }
  }

  /** Takes a worker's result; one that is not awaited any more is ignored. */
  take(part: EvaluationPartMessage): void {
    const round = this.#rounds.get(part.evaluation);
    if (round === undefined) return;
    checkPart(part, round.request);
    round.parts.set(part.part, part);
    if (round.parts.size === numEvaluationParts(round.request.numExamples)) round.done.resolve(addParts(round));
  }
}

/** A part comes from the network: its number and length are checked before it is used. */
function checkPart({ part, probabilities }: EvaluationPartMessage, { numExamples, numClasses }: EvaluationRequest): void {
  const { from, to } = evaluationPartRange(part, numExamples);
  const expectedBytes = (to - from) * numClasses * 4;
  if (part >= numEvaluationParts(numExamples) || probabilities.byteLength !== expectedBytes) {
    throw new LockstepError('protocol', `evaluation part ${part} with ${probabilities.byteLength} bytes of probabilities, expected ${expectedBytes}`);
  }
}

function addParts({ request, parts }: Round): SplitEvaluation {
  const probabilities = new Float32Array(request.numExamples * request.numClasses);
  let lossSum = 0;
  let numCorrect = 0;
  for (let part = 0; part < parts.size; part += 1) {
    const result = parts.get(part);
    if (result === undefined) throw new Error(`part ${part} is missing`);
    lossSum += result.lossSum;
    numCorrect += result.numCorrect;
    const { from } = evaluationPartRange(part, request.numExamples);
    bytesOf(probabilities).set(result.probabilities, from * request.numClasses * 4);
  }
  return { lossSum, numCorrect, numExamples: request.numExamples, probabilities };
}
