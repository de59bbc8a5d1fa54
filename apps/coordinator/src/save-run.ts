import type { EndEvent, RunConfig, RunEvent } from '@lockstep/core';
import type { RunDirectory } from '@lockstep/checkpoint';
import { countLabels, type DataSplits, type Dataset } from '@lockstep/data';
import type { EvaluationReport } from '@lockstep/evaluation';
import { renderReport, type ReportImage } from '@lockstep/telemetry';

const GRID_SAMPLES = 25;

export interface ReportMaterial {
  readonly config: RunConfig;
  readonly splits: DataSplits;
  readonly events: readonly RunEvent[];
  readonly end: EndEvent;
  readonly evaluation: EvaluationReport;
}

/** Writes evaluation.json and report.html. */
export async function saveReport(directory: RunDirectory, { config, splits, events, end, evaluation }: ReportMaterial): Promise<void> {
  const numClasses = splits.classNames.length;
  await directory.writeAtomically('evaluation.json', JSON.stringify(evaluation, null, 2));
  await directory.writeAtomically('report.html', renderReport({
    events: [...events, end],
    evaluation,
    labelHistogram: { training: [...countLabels(splits.training, numClasses)], test: [...countLabels(splits.test, numClasses)] },
    sampleGrid: Array.from({ length: Math.min(GRID_SAMPLES, splits.training.numExamples) }, (_, index) => ({
      image: imageOf(splits.training, index), label: splits.training.labels[index] ?? 0,
    })),
    mistakeImages: new Map(evaluation.worstMistakes.map(({ index }) => [index, imageOf(splits.test, index)])),
    config,
  }));
}

function imageOf({ images, imageShape: { height, width, channels } }: Dataset, index: number): ReportImage {
  const length = height * width * channels;
  return { pixels: images.slice(index * length, (index + 1) * length), height, width, channels: channels === 3 ? 3 : 1 };
}
