import { openRunDirectory } from '@lockstep/checkpoint';
import { createPreparation, loadSplits, type DataSplits } from '@lockstep/data';
import { evaluatePredictions, renderEvaluation, type EvaluationReport } from '@lockstep/evaluation';
import { Command } from 'commander';
import { useTrainedModel, type TrainedModel } from '../trained-model.ts';

/** Bounds the memory of one pass. */
const EXAMPLES_AT_ONCE = 500;

export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description("Evaluate a run's final model on the test images of its data.")
    .argument('<run>', 'name or path of a run')
    .option('--runs-dir <dir>', 'where runs are', 'runs')
    .option('--json', 'print one JSON object')
    .action(async (name: string, options: { runsDir: string; json?: true }) => {
      await useTrainedModel(await openRunDirectory(options.runsDir, name), async (trained) => {
        const splits = await loadSplits(trained.config.data, { seed: trained.config.seed });
        const report = evaluateTest(trained, splits);
        process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : renderEvaluation(report, terminal()));
      });
    });
}

function evaluateTest({ config, model, classNames, statistics }: TrainedModel, { test }: DataSplits): EvaluationReport {
  const preparation = createPreparation(config.data, test.imageShape, statistics);
  const probabilities = new Float32Array(test.numExamples * classNames.length);
  let lossSum = 0;
  for (let from = 0; from < test.numExamples; from += EXAMPLES_AT_ONCE) {
    const labels = test.labels.subarray(from, from + EXAMPLES_AT_ONCE);
    const inputs = new Float32Array(labels.length * preparation.sampleLength);
    preparation.prepare(test, Array.from(labels, (_, index) => from + index), null, inputs);
    const evaluation = model.evaluate(inputs, labels);
    probabilities.set(evaluation.probabilities, from * classNames.length);
    lossSum += evaluation.lossSum;
  }
  return evaluatePredictions({ labels: test.labels, probabilities, lossSum, classNames });
}

function terminal(): { color: boolean; columns: number } {
  return { color: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined, columns: process.stdout.columns ?? 100 };
}
