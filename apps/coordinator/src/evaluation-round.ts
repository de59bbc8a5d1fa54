import { bytesOf, LockstepError, type Rank } from '@lockstep/core';
import { evaluationPartRange, numEvaluationParts, redealParts, type EvaluationSize } from '@lockstep/scheduling';
import type { BlockReference__Output, BlockShelf, CoordinatorMessage, EvaluationPartMessage } from '@lockstep/transport';

/** A split's evaluation, its sums added in part order whoever computed them. */
export interface SplitEvaluation {
  readonly lossSum: number;
  readonly numCorrect: number;
  readonly numExamples: number;
  /** `[numExamples, numClasses]` of a classifier, else empty. */
  readonly probabilities: Float32Array;
}

export interface EvaluationRequest {
  readonly split: 'validation' | 'test';
  readonly size: EvaluationSize;
  /** 0 of a language model. */
  readonly numClasses: number;
  readonly parameters: Float32Array;
}

interface Round {
  readonly evaluation: number;
  readonly request: EvaluationRequest;
  readonly block: BlockReference__Output;
  /** Who was asked for a part; null where there was nobody to ask. */
  readonly owners: Map<number, Rank | null>;
  readonly parts: Map<number, EvaluationPartMessage>;
  readonly done: PromiseWithResolvers<SplitEvaluation>;
}

/** Has the workers evaluate a split, each some parts of it; the parts of one that is lost go to others. */
export class EvaluationRounds {
  readonly #shelf: BlockShelf;
  readonly #ranks: () => readonly Rank[];
  readonly #send: (rank: Rank, message: CoordinatorMessage) => void;
  readonly #rounds = new Map<number, Round>();
  #next = 0;

  constructor(shelf: BlockShelf, ranks: () => readonly Rank[], send: (rank: Rank, message: CoordinatorMessage) => void) {
    this.#shelf = shelf;
    this.#ranks = ranks;
    this.#send = send;
  }

  async evaluate(request: EvaluationRequest): Promise<SplitEvaluation> {
    const evaluation = this.#next;
    this.#next += 1;
    const block = this.#shelf.put(bytesOf(request.parameters));
    const round: Round = { evaluation, request, block, owners: new Map(), parts: new Map(), done: Promise.withResolvers() };
    this.#rounds.set(evaluation, round);
    this.#deal(round, Array.from({ length: numEvaluationParts(request.size) }, (_, part) => part));
    try {
      return await round.done.promise;
    } finally {
      this.#rounds.delete(evaluation);
      this.#shelf.remove(block.sha256);
    }
  }

  /** Parts that nobody could be asked for are given out now, and those that this worker was asked for on a connection that broke. */
  joined(rank: Rank): void {
    for (const round of this.#rounds.values()) {
      for (const owner of [rank, null]) this.#dealThoseOf(round, owner);
    }
  }

  /** What this worker has not told yet goes to the others. */
  lost(rank: Rank): void {
    for (const round of this.#rounds.values()) this.#dealThoseOf(round, rank);
  }

  #dealThoseOf(round: Round, owner: Rank | null): void {
    const parts = [...round.owners].filter(([part, of]) => of === owner && !round.parts.has(part)).map(([part]) => part);
    if (parts.length > 0) this.#deal(round, parts);
  }

  #deal(round: Round, parts: readonly number[]): void {
    const { evaluation, request, block, owners } = round;
    for (const part of parts) owners.set(part, null);
    for (const [rank, dealt] of redealParts(parts, this.#ranks())) {
      if (dealt.length === 0) continue;
      for (const part of dealt) owners.set(part, rank);
      this.#send(rank, { evaluate: { evaluation, split: request.split, parameters: block, parts: [...dealt] } });
    }
  }

  /** Takes a worker's result; one that is not awaited any more is ignored. */
  take(part: EvaluationPartMessage): void {
    const round = this.#rounds.get(part.evaluation);
    if (round === undefined) return;
    checkPart(part, round.request);
    round.parts.set(part.part, part);
    if (round.parts.size === numEvaluationParts(round.request.size)) round.done.resolve(addParts(round));
  }
}

/** A part comes from the network: its number and length are checked before it is used. */
function checkPart({ part, probabilities }: EvaluationPartMessage, { size, numClasses }: EvaluationRequest): void {
  const { from, to } = evaluationPartRange(part, size);
  const expectedBytes = (to - from) * numClasses * 4;
  if (part >= numEvaluationParts(size) || probabilities.byteLength !== expectedBytes) {
    throw new LockstepError('protocol', `evaluation part ${part} with ${probabilities.byteLength} bytes of probabilities, expected ${expectedBytes}`);
  }
}

function addParts({ request, parts }: Round): SplitEvaluation {
  const probabilities = new Float32Array(request.size.numSamples * request.numClasses);
  let lossSum = 0;
  let numExamples = 0;
  let numCorrect = 0;
  for (let part = 0; part < parts.size; part += 1) {
    const result = parts.get(part);
    if (result === undefined) throw new Error(`part ${part} is missing`);
    lossSum += result.lossSum;
    numCorrect += result.numCorrect;
    numExamples += result.numExamples;
    const { from } = evaluationPartRange(part, request.size);
    bytesOf(probabilities).set(result.probabilities, from * request.numClasses * 4);
  }
  return { lossSum, numCorrect, numExamples, probabilities };
}
