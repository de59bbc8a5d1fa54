import type { EndEvent, EpochEvent, ExampleKind, ShardsEvent, StartEvent, WorkerEvent } from '@lockstep/core';

/** `7 s`, `3 min 05 s`, `2 h 11 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const twoDigits = (value: number) => String(value).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${twoDigits(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${twoDigits(Math.floor((whole % 3600) / 60))} min`;
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

export function percent(rate: number, digits = 2): string {
  return `${(rate * 100).toFixed(digits)} %`;
}

/** A loss in four digits that show something, small or large. */
export function lossText(loss: number): string {
  return Math.abs(loss) >= 0.001 || loss === 0 ? loss.toFixed(4) : loss.toExponential(2);
}

/** How good a model is at its examples; of tokens as perplexity, the exponential of the mean loss. */
export function scoreText(examples: ExampleKind, { loss, accuracy }: { readonly loss: number; readonly accuracy: number }): string {
  return `loss ${lossText(loss)} ${examples === 'tokens' ? `perplexity ${perplexityText(loss)}` : `accuracy ${percent(accuracy)}`}`;
}

export function perplexityText(loss: number): string {
  const perplexity = Math.exp(loss);
  return perplexity < 1e5 ? perplexity.toFixed(perplexity < 100 ? 2 : 0) : perplexity.toExponential(1);
}

export function startText(event: StartEvent): string {
  return `${event.run}: ${event.model}, ${count(event.parameters)} parameters${event.frozenParameters > 0 ? ` (${count(event.frozenParameters)} frozen)` : ''}, ${count(event.trainSamples)} training ${event.examples === 'tokens' ? 'rows' : 'samples'}, `
    + `${event.epochs} epochs of ${count(event.stepsPerEpoch)} steps, global batch ${event.globalBatchSize} in ${event.microBatches} micro-batches`
    + (event.resumedFrom === 0 ? '' : `, resumed from step ${count(event.resumedFrom)}`);
}

export function epochText(event: EpochEvent, epochs: number, examples: ExampleKind): string {
  const validation = event.validation === null
    ? ''
    : `, validation ${scoreText(examples, event.validation)}`;
  return `epoch ${event.epoch + 1}/${epochs} done: ${scoreText(examples, event)}${validation}, `
    + `${count(event.examplesPerSecond)} ${examples}/s, ${duration(event.elapsedSeconds)}`;
}

/** Where the shards are, unless it is their first place. */
export function shardsText({ generation, version, cause, hosts }: ShardsEvent): string | null {
  if (generation === 1 && version === 0 && cause === 'the run starts') return null;
  return `${cause}: training goes on from step ${version}, shards on ${[...new Set(hosts)].join(', ')}`;
}

export function workerText(event: WorkerEvent): string {
  const reason = event.reason === undefined ? '' : `: ${event.reason}`;
  return `worker ${event.rank} (${event.hostname}:${event.pid}, ${event.device}) ${event.state}${reason}`;
}

export function endText(event: EndEvent): string {
  const early = event.stoppedEarly === null ? '' : ` (stopped early: ${event.stoppedEarly})`;
  return `trained ${count(event.steps)} steps in ${duration(event.trainSeconds)}${early}, ${count(event.examplesPerSecond)} ${event.examples}/s; `
    + `test ${scoreText(event.examples, event.test)}; parameters ${event.parametersSha256}; files in ${event.directory}`;
}
