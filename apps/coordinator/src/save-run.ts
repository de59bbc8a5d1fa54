import { layOutParameters, layOutWholeModel, type EndEvent, type RunConfig, type RunEvent } from '@lockstep/core';
import { saveFinalModel, saveLanguageModel, type RunDirectory } from '@lockstep/checkpoint';
import { countLabels, type DataSplits, type Dataset } from '@lockstep/data';
import { evaluatePredictions, tokenEvaluation, type EvaluationReport, type RunEvaluation } from '@lockstep/evaluation';
import { renderReport, type ClassificationInput, type ReportImage } from '@lockstep/telemetry';
import type { RunDataset } from './dataset.ts';
import type { SplitEvaluation } from './evaluation-round.ts';
import type { BuiltModel } from './model-agreement.ts';

const GRID_SAMPLES = 25;

/** Writes the run's final model. */
export function saveModel(directory: RunDirectory, { splits }: RunDataset, { topology, specs }: BuiltModel, values: { readonly parameters: Float32Array; readonly frozen: Float32Array }): Promise<void> {
  const { parameters, frozen } = values;
  if (splits === null) return saveLanguageModel(directory, { description: topology, layout: layOutParameters(specs), parameters });
  const { classNames, training: { imageShape }, statistics } = splits;
  return saveFinalModel(directory, { topology, layout: layOutWholeModel(specs), vectors: [parameters, frozen], classNames, imageShape, statistics });
}

/** What the model makes of the test set. */
export function evaluationOf({ splits }: RunDataset, sums: SplitEvaluation): RunEvaluation {
  if (splits === null) return { kind: 'tokens', report: tokenEvaluation(sums) };
  const { probabilities, lossSum } = sums;
  return { kind: 'classes', report: evaluatePredictions({ labels: splits.test.labels, probabilities, lossSum, classNames: splits.classNames }) };
}

export interface ReportMaterial {
  readonly config: RunConfig;
  readonly splits: DataSplits | null;
  readonly events: readonly RunEvent[];
  readonly end: EndEvent;
  readonly evaluation: RunEvaluation;
}

/** Writes evaluation.json and report.html. */
export async function saveReport(directory: RunDirectory, { config, splits, events, end, evaluation }: ReportMaterial): Promise<void> {
  await directory.writeAtomically('evaluation.json', JSON.stringify(evaluation.report, null, 2));
  const classification = splits === null || evaluation.kind !== 'classes' ? null : classificationOf(splits, evaluation.report);
  await directory.writeAtomically('report.html', renderReport({ events: [...events, end], classification, config }));
}

function classificationOf(splits: DataSplits, evaluation: EvaluationReport): ClassificationInput {
  const numClasses = splits.classNames.length;
  return {
    evaluation,
    labelHistogram: { training: [...countLabels(splits.training, numClasses)], test: [...countLabels(splits.test, numClasses)] },
    sampleGrid: Array.from({ length: Math.min(GRID_SAMPLES, splits.training.numExamples) }, (_, index) => ({
      image: imageOf(splits.training, index), label: splits.training.labels[index] ?? 0,
    })),
    mistakeImages: new Map(evaluation.worstMistakes.map(({ index }) => [index, imageOf(splits.test, index)])),
  };
}

function imageOf({ images, imageShape: { height, width, channels } }: Dataset, index: number): ReportImage {
  const length = height * width * channels;
  return { pixels: images.slice(index * length, (index + 1) * length), height, width, channels: channels === 3 ? 3 : 1 };
}
