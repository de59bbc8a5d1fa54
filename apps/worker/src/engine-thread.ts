import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { assertNever, bytesOf, LockstepError, messageOf } from '@lockstep/core';
import { loadEngine, type ModelTensors } from '@lockstep/engine';
import { createKernels, microBatchesOf, type TreeNode } from '@lockstep/reduction';
import type { EngineCommand, EngineMessage, EngineThreadData } from './engine-messages.ts';
import { createIdleCollection } from './idle-collection.ts';
import { StepComputer } from './step-computer.ts';
import { createTask } from './task/create-task.ts';

/** The one thread of a worker that owns TensorFlow.js: a native op blocks its thread, and heartbeats must not wait. */
const { useless, ...data } = workerData as EngineThreadData;

try {
  await serve();
} catch (error) {
  tellFailure(error);
}

async function serve(): Promise<void> {
  const task = await createTask(await loadEngine(data.numerics), data);
  const { model } = task;
  const collection = createIdleCollection();
  const computer = new StepComputer(data.config, task, createKernels());

  parentPort?.on('message', (command: EngineCommand) => {
    try {
      run(command);
    } catch (error) {
      tellFailure(error);
    }
  });
  const initial = model.readParameters();
  computer.warmUp();
  tell({ kind: 'ready', specs: model.specs, topology: model.topology, initial, frozenSha256: hashOfFrozen(model) });

  function run(command: EngineCommand): void {
    switch (command.kind) {
      case 'compute': return compute(command);
      case 'wait': return useWait(command.nextStep, command.node);
      case 'readFrozen': return tell({ kind: 'frozen', values: [...model.readFrozen()] });
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
    task.prepareAhead(nextStep, microBatchesOf(node).from);
    collection.afterStep();
  }

  function evaluate({ evaluation, split, parts, parameters }: Extract<EngineCommand, { kind: 'evaluate' }>): void {
    model.loadParameters(parameters);
    for (const part of parts) tell({ kind: 'evaluated', evaluation, part, ...task.evaluatePart(split, part) });
  }
}

/** One tensor at a time: what is frozen may be most of a large model. */
function hashOfFrozen(model: ModelTensors): string {
  if (!model.specs.some(({ kind }) => kind === 'frozen')) return '';
  const hash = createHash('sha256');
  for (const values of model.readFrozen()) hash.update(bytesOf(values));
  return hash.digest('hex');
}

function tell(message: EngineMessage): void {
  parentPort?.postMessage(message);
}

function tellFailure(error: unknown): void {
  const failure = error instanceof LockstepError ? error : new LockstepError('engine', messageOf(error), { cause: error });
  tell({ kind: 'failed', code: failure.code, message: failure.message, hint: failure.hint });
}
