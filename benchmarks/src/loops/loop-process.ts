import { runSchema } from '@lockstep/core';
import { loadSplits } from '@lockstep/data';
import { detectCapabilities, openLocalEngine, type Engine } from '@lockstep/engine';
import { buildModel } from '@lockstep/models';
import { chooseNumerics } from '@lockstep/scheduling';
import { BATCH } from '../workload.ts';
import { createEngineLoop } from './engine-loop.ts';
import type { LoopKind, LoopMessage, LoopOrder } from './loop-messages.ts';
import { loadPlainTfjs } from './plain-tfjs.ts';
import { createTfjsLoop } from './tfjs-loop.ts';
import type { TrainingLoop } from './training-loop.ts';

/** A process with one loop in it: gets ready, waits for the word, runs for its time and tells what it reached. */
const WARM_UP_SECONDS = 1;

process.once('message', (order: LoopOrder) => void serve(order));

async function serve(order: LoopOrder): Promise<void> {
  const loop = await createLoop(order);
  run(loop, WARM_UP_SECONDS);
  process.once('message', () => {
    tell({ kind: 'done', examplesPerSecond: run(loop, order.seconds) });
    process.disconnect();
  });
  tell({ kind: 'ready' });
}

async function createLoop({ kind, model }: LoopOrder): Promise<TrainingLoop> {
  const config = runSchema.parse({ model: { kind: model }, globalBatchSize: BATCH, microBatches: 1 });
  const splits = await loadSplits(config.data, { seed: config.seed });
  const engine = await openEngine(kind);
  const layers = await buildModel(engine, config.model, { sampleShape: [28, 28, 1], numClasses: splits.classNames.length, seed: config.seed });
  return kind === 'engine' ? createEngineLoop(engine, layers, splits, config) : createTfjsLoop(engine.tf, layers, splits);
}

async function openEngine(kind: LoopKind): Promise<Engine> {
  const { numerics } = runSchema.parse({});
  return kind === 'tfjs' ? loadPlainTfjs(chooseNumerics(numerics, [await detectCapabilities(numerics.engine)])) : openLocalEngine(numerics);
}

/** Images a second over at least `seconds`. */
function run(loop: TrainingLoop, seconds: number): number {
  const startMs = performance.now();
  for (let steps = 1; ; steps += 1) {
    const loss = loop();
    if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss}`);
    const elapsedSeconds = (performance.now() - startMs) / 1000;
    if (elapsedSeconds >= seconds) return (steps * BATCH) / elapsedSeconds;
  }
}

function tell(message: LoopMessage): void {
  process.send?.(message);
}
