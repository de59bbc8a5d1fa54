import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRunDirectory, openReceiptWriter, saveFinalModel, type RunDirectory } from '@lockstep/checkpoint';
import { deriveSeed, runSchema, sha256, type RunConfig } from '@lockstep/core';
import { createPreparation, loadSplits, type Dataset } from '@lockstep/data';
import { createTrainingModel, detectCapabilities, loadEngine, numericsEnvironment, type Engine, type TrainingModel } from '@lockstep/engine';
import { buildModel } from '@lockstep/models';
import { chooseNumerics } from '@lockstep/scheduling';

export interface TrainedRun {
  readonly run: RunDirectory;
  readonly runsDirectory: string;
  readonly engine: Engine;
  readonly test: Dataset;
  /** The saved parameters, in layout order. */
  readonly flat: Float32Array;
  readonly model: TrainingModel;
}

const STEPS = 400;
const BATCH = 100;
const RATE = 0.5;

/** A run of the mlp on MNIST, trained in this process by plain gradient descent: enough to know most digits. */
export async function trainRun(): Promise<TrainedRun> {
  const config = runSchema.parse({ model: { kind: 'mlp' }, data: { limit: STEPS * BATCH } });
  const splits = await loadSplits(config.data, { seed: config.seed });
  const { training, test, classNames, statistics } = splits;
  const engine = await localEngine(config);
  const sampleShape = [28, 28, 1];
  const layers = await buildModel(engine, config.model, { sampleShape, numClasses: 10, seed: config.seed });
  const model = createTrainingModel(engine, layers, { loss: config.loss, numClasses: 10 });
  const flat = descend(config, training, model);
  const runsDirectory = await mkdtemp(join(tmpdir(), 'lockstep-cli-'));
  const run = await createRunDirectory(runsDirectory, 'digits');
  await run.writeAtomically('config.json', JSON.stringify(config));
  await saveFinalModel(run, { topology: model.topology, layout: model.layout, vectors: [flat], classNames, statistics, imageShape: training.imageShape });
  await writeReceipts(run, engine, flat);
  return { run, runsDirectory, engine, test, flat, model };
}

async function localEngine({ numerics }: RunConfig): Promise<Engine> {
  const chosen = chooseNumerics(numerics, [await detectCapabilities(numerics.engine)]);
  Object.assign(process.env, numericsEnvironment(chosen));
  return loadEngine(chosen);
}

function descend(config: RunConfig, training: Dataset, model: TrainingModel): Float32Array {
  const preparation = createPreparation(config.data, training.imageShape, { mean: 0, deviation: 1 });
  let flat = model.readParameters();
  for (let step = 0; step < STEPS; step += 1) {
    const inputs = new Float32Array(BATCH * preparation.sampleLength);
    const indices = Array.from({ length: BATCH }, (_, index) => step * BATCH + index);
    preparation.prepare(training, indices, null, inputs);
    const gradient = model.gradient(inputs, training.labels.subarray(step * BATCH, (step + 1) * BATCH), deriveSeed(config.seed, 'dropout', step));
    flat = flat.map((value, index) => value - (RATE / BATCH) * gradient.flat[index]!);
    model.loadParameters(flat);
  }
  return flat;
}

async function writeReceipts(run: RunDirectory, { numerics }: Engine, flat: Float32Array): Promise<void> {
  const parametersSha256 = sha256(new Uint8Array(flat.buffer));
  const { writer: receipts } = await openReceiptWriter(run.file('receipts.jsonl'), { resumeAt: null, stepsPerEpoch: STEPS });
  receipts.write({ kind: 'run', formatVersion: 1, configSha256: sha256('config'), numerics, seed: 42, wire: 'float32', parameterWire: 'float32', parameters: flat.length });
  receipts.write({ kind: 'end', version: STEPS, parametersSha256 });
  await receipts.close();
}
