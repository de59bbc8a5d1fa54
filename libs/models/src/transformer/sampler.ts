/** How the next token is chosen. */
export interface SamplingOptions {
  /** Divides the logits; 0 takes the most probable token always. */
  readonly temperature: number;
  /** Only this many of the most probable tokens; null: all. */
  readonly topK: number | null;
  /** Only the most probable tokens that together have this probability (nucleus sampling, Holtzman et al. 2020); 1: all. */
  readonly topP: number;
}

/** Chooses a token from logits, by a uniform draw in `[0, 1)`; of equal logits the lower token is taken to be more probable. */
export function sampleToken(logits: Float32Array, { temperature, topK, topP }: SamplingOptions, uniform: () => number): number {
  if (temperature === 0) return mostProbable(logits);
  const candidates = Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]! || a - b).slice(0, topK ?? logits.length);
  const weights = candidates.map((token) => Math.exp((logits[token]! - logits[candidates[0]!]!) / temperature));
  const nucleus = weights.slice(0, numUntil(weights, topP * sum(weights)));
  return candidates[numUntil(nucleus, uniform() * sum(nucleus), true) - 1]!;
}

function mostProbable(logits: Float32Array): number {
  return logits.reduce((best, logit, token) => (logit > logits[best]! ? token : best), 0);
}

const sum = (weights: readonly number[]): number => weights.reduce((total, weight) => total + weight, 0);

/** How many of the first weights it takes to reach `total`, or to exceed it where `beyond`; all where rounding keeps them below. */
function numUntil(weights: readonly number[], total: number, beyond = false): number {
  let reached = 0;
  const last = weights.findIndex((weight) => {
    reached += weight;
    return beyond ? reached > total : reached >= total;
  });
  return last < 0 ? weights.length : last + 1;
}
