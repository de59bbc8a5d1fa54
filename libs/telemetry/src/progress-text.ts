import type { EndEvent, EpochEvent, ShardsEvent, StartEvent, WorkerEvent } from '@lockstep/core';

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

export function startText(event: StartEvent): string {
  return `${event.run}: ${event.model}, ${count(event.parameters)} parameters${event.frozenParameters > 0 ? ` (${count(event.frozenParameters)} frozen)` : ''}, ${count(event.trainSamples)} training samples, `
    + `${event.epochs} epochs of ${count(event.stepsPerEpoch)} steps, global batch ${event.globalBatchSize} in ${event.microBatches} micro-batches`
    + (event.resumedFrom === 0 ? '' : `, resumed from step ${count(event.resumedFrom)}`);
}

export function epochText(event: EpochEvent, epochs: number): string {
  const validation = event.validation === null
    ? ''
    : `, validation loss ${lossText(event.validation.loss)} accuracy ${percent(event.validation.accuracy)}`;
  return `epoch ${event.epoch + 1}/${epochs} done: loss ${lossText(event.loss)} accuracy ${percent(event.accuracy)}${validation}, `
    + `${count(event.imagesPerSecond)} images/s, ${duration(event.elapsedSeconds)}`;
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
  return `trained ${count(event.steps)} steps in ${duration(event.trainSeconds)}${early}, ${count(event.imagesPerSecond)} images/s; `
    + `test loss ${lossText(event.test.loss)} accuracy ${percent(event.test.accuracy)}; parameters ${event.parametersSha256}; files in ${event.directory}`;
}
