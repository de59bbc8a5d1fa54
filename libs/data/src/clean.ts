import { LockstepError, type DataConfig } from '@lockstep/core';
import { describeOrigin, type CleaningLog } from './cleaning-report.ts';
import { imageLengthOf, selectExamples, type Dataset } from './dataset.ts';
import { DuplicateFinder } from './duplicates.ts';
import type { SourcePart } from './readers/source-parts.ts';

export interface CleaningRules extends Pick<DataConfig, 'rejectBlank' | 'rejectDuplicates'> {
  readonly numClasses: number;
}

/**
 * The parts without their bad samples. A label that no class has is always bad; a blank image (all pixels equal) and an exact
 * duplicate of an earlier image, of an earlier part too, are counted, and bad only by the rules.
 */
export function clean(parts: readonly SourcePart[], rules: CleaningRules, log: CleaningLog): Dataset[] {
  const finder = new DuplicateFinder(parts.map((part) => part.dataset));
  return parts.map((part, partNumber) => {
    const kept = new Uint32Array(part.dataset.numExamples);
    let numKept = 0;
    for (let index = 0; index < part.dataset.numExamples; index += 1) {
      if (isKept(parts, partNumber, index, rules, finder, log)) kept[numKept++] = index;
    }
    if (numKept === 0) throw new LockstepError('data', `${part.originOf(0).file}: no sample is left of ${part.numRead}`, { hint: 'the cleaning report of lockstep data inspect says why' });
    return numKept === part.dataset.numExamples ? part.dataset : selectExamples(part.dataset, kept.subarray(0, numKept));
  });
}

function isKept(parts: readonly SourcePart[], partNumber: number, index: number, rules: CleaningRules, finder: DuplicateFinder, log: CleaningLog): boolean {
  const part = parts[partNumber]!;
  const { dataset } = part;
  const label = dataset.labels[index]!;
  if (label >= rules.numClasses) {
    log.drop('label-out-of-range', part.originOf(index), `label ${label}, expected 0 to ${rules.numClasses - 1}`);
    return false;
  }
  let kept = true;
  if (isBlank(dataset, index)) {
    log[rules.rejectBlank ? 'drop' : 'note']('blank', part.originOf(index), `every pixel is ${dataset.images[index * imageLengthOf(dataset.imageShape)]}`);
    kept = !rules.rejectBlank;
  }
  const earlier = finder.firstEqual(partNumber, index);
  if (earlier !== null) {
    const original = parts[earlier.part]!;
    const detail = `the same pixels as ${describeOrigin(original.originOf(earlier.index))} (label ${original.dataset.labels[earlier.index]}, this one ${label})`;
    log[rules.rejectDuplicates && kept ? 'drop' : 'note']('duplicate', part.originOf(index), detail);
    kept &&= !rules.rejectDuplicates;
  }
  return kept;
}

function isBlank(dataset: Dataset, index: number): boolean {
  const { images } = dataset;
  const from = index * imageLengthOf(dataset.imageShape);
  const to = from + imageLengthOf(dataset.imageShape);
  for (let at = from + 1; at < to; at += 1) if (images[at] !== images[from]) return false;
  return true;
}
