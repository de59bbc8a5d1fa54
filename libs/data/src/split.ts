import { deriveSeed, uniformStream } from '@lockstep/core';
import { selectExamples, type Dataset } from './dataset.ts';

export interface SplitOptions {
  /** The part that is held out, 0 to 0.9 of all examples. */
  readonly share: number;
  /** Hold out the same share of every label, up to rounding. */
  readonly stratified: boolean;
  readonly seed: number;
  /** Tells apart the splits of one run. */
  readonly splitNumber: number;
}

/** Cuts a dataset in two, at random by the seed; each part keeps the order of the whole. `round(share * numExamples)` are held out. */
export function splitDataset(dataset: Dataset, options: SplitOptions): { kept: Dataset; heldOut: Dataset } {
  const heldOut = chooseHeldOut(dataset, options);
  if (heldOut.length === 0) return { kept: dataset, heldOut: selectExamples(dataset, heldOut) };
  const isHeldOut = new Uint8Array(dataset.numExamples);
  for (const index of heldOut) isHeldOut[index] = 1;
  const kept = Uint32Array.from({ length: dataset.numExamples }, (_, index) => index).filter((index) => isHeldOut[index] === 0);
  return { kept: selectExamples(dataset, kept), heldOut: selectExamples(dataset, heldOut) };
}

function chooseHeldOut(dataset: Dataset, options: SplitOptions): Uint32Array {
  const groups = options.stratified ? groupByLabel(dataset) : [Uint32Array.from({ length: dataset.numExamples }, (_, index) => index)];
  const counts = shareOut(groups.map((group) => group.length), options.share);
  const draw = uniformStream(deriveSeed(options.seed, 'split', options.splitNumber));
  const chosen: number[] = [];
  groups.forEach((group, number) => {
    drawToFront(group, counts[number]!, draw);
    chosen.push(...group.subarray(0, counts[number]!));
  });
  return Uint32Array.from(chosen).sort();
}

function groupByLabel(dataset: Dataset): Uint32Array[] {
  const groups: number[][] = [];
  for (let index = 0; index < dataset.numExamples; index += 1) (groups[dataset.labels[index]!] ??= []).push(index);
  return groups.filter((group) => group !== undefined).map((group) => Uint32Array.from(group));
}

/** `round(share * total)` over groups in proportion to their sizes, by the largest remainder; the earlier group wins a tie. */
function shareOut(sizes: readonly number[], share: number): number[] {
  const total = Math.round(share * sizes.reduce((sum, size) => sum + size, 0));
  const counts = sizes.map((size) => Math.floor(share * size));
  const byRemainder = sizes.map((size, group) => ({ group, remainder: share * size - counts[group]! })).sort((a, b) => b.remainder - a.remainder || a.group - b.group);
  let missing = total - counts.reduce((sum, count) => sum + count, 0);
  for (const { group } of byRemainder) {
    if (missing <= 0) break;
    counts[group]! += 1;
    missing -= 1;
  }
  return counts;
}

/** The first `count` steps of a Fisher-Yates shuffle. */
function drawToFront(group: Uint32Array, count: number, draw: () => number): void {
  for (let at = 0; at < count; at += 1) {
    const other = at + Math.floor(draw() * (group.length - at));
    [group[at], group[other]] = [group[other]!, group[at]!];
  }
}
