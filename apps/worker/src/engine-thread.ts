import { parentPort, workerData } from 'node:worker_threads';
import { assertNever, bytesOf, importModelFunction, LockstepError, messageOf, sha256 } from '@lockstep/core';
import { createPreparation, decodeSplits } from '@lockstep/data';
import { createTrainingModel, evaluatePart, loadEngine } from '@lockstep/engine';
import { buildModel, type BuildModel } from '@lockstep/models';
import { createKernels, microBatchesOf, type TreeNode } from '@lockstep/reduction';
import type { EngineCommand, EngineMessage, EngineThreadData } from './engine-messages.ts';
import { createIdleCollection } from './idle-collection.ts';
import { MicroBatchSource } from './micro-batch-source.ts';
import { backboneSource, initialise } from './model-files.ts';
import { StepComputer } from './step-computer.ts';

/** The one thread of a worker that owns TensorFlow.js: a native op blocks its thread, and heartbeats must not wait. */
const { config, numerics, dataset, modelBundle, useless } = workerData as EngineThreadData;

try {
  await serve();
} catch (error) {
  tellFailure(error);
}

async function serve(): Promise<void> {
  const engine = await loadEngine(numerics);
  const splits = decodeSplits(new Uint8Array(dataset));
  const preparation = createPreparation(config.data, splits.training.imageShape, splits.statistics);
  const numClasses = splits.classNames.length;
  const shape = { sampleShape: preparation.sampleShape, numClasses, seed: config.seed };
  const custom = await customModel(shape);
  const backbone = await backboneSource(config);
  const layers = await buildModel(engine, config.model, { ...shape, ...(custom === null ? {} : { custom }), ...(backbone === null ? {} : { backbone }) });
  const model = createTrainingModel(engine, layers, { loss: config.loss, numClasses });
  await initialise(model, config.initFrom);
  const source = new MicroBatchSource(config, splits.training, preparation);
  const collection = createIdleCollection();
  const computer = new StepComputer(config, model, source, createKernels());

  parentPort?.on('message', (command: EngineCommand) => {
    try {
      run(command);
    } catch (error) {
      tellFailure(error);
    }
  });
  const initial = model.readParameters();
  computer.warmUp();
  const frozen = model.readFrozen();
  tell({ kind: 'ready', specs: model.specs, topology: model.topology, initial, frozenSha256: frozen.length === 0 ? '' : sha256(bytesOf(frozen)) });

  function run(command: EngineCommand): void {
    switch (command.kind) {
      case 'compute': return compute(command);
      case 'wait': return useWait(command.nextStep, command.node);
      case 'readFrozen': return tell({ kind: 'frozen', values: model.readFrozen() });
      case 'evaluate': return evaluate(command);
      default: return assertNever(command);
    }
  }

  function compute({ number, step, begins, nodes, parameters }: Extract<EngineCommand, { kind: 'compute' }>): void {
    if (begins) computer.begin();
    model.loadParameters(parameters);
    for (const partial of computer.compute(step, nodes, () => Atomics.load(useless, 0) >= number)) {
      tell({ kind: 'partial', number, step, ...partial });
    }
    tell({ kind: 'computed' });
  }

  /** What can be done while the step's partials travel and the next version is made. */
  function useWait(nextStep: number, node: TreeNode): void {
    source.prepareAhead(nextStep, microBatchesOf(node).from);
    collection.afterStep();
  }

  function evaluate({ evaluation, split, parts, parameters }: Extract<EngineCommand, { kind: 'evaluate' }>): void {
    model.loadParameters(parameters);
    for (const part of parts) tell({ kind: 'evaluated', evaluation, part, ...evaluatePart(model, splits, preparation, split, part) });
  }
}

/** The config file's own model function, which gets TensorFlow.js and what the data says in one object. */
async function customModel(shape: object): Promise<BuildModel | null> {
  if (modelBundle === null) return null;
  const build = await importModelFunction(modelBundle);
  return (tf) => build({ ...tf, ...shape }) as ReturnType<BuildModel>;
}

function tell(message: EngineMessage): void {
  parentPort?.postMessage(message);
}

function tellFailure(error: unknown): void {
  const failure = error instanceof LockstepError ? error : new LockstepError('engine', messageOf(error), { cause: error });
  tell({ kind: 'failed', code: failure.code, message: failure.message, hint: failure.hint });
}
