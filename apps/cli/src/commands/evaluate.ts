import { openRunDirectory } from '@lockstep/checkpoint';
import { createPreparation, loadSplits, type DataSplits } from '@lockstep/data';
import { evaluatePart } from '@lockstep/engine';
import { evaluatePredictions, renderEvaluation, type EvaluationReport } from '@lockstep/evaluation';
import { evaluationPartRange, numEvaluationParts } from '@lockstep/scheduling';
import { Command } from 'commander';
import { terminal } from '../terminal.ts';
import { useTrainedModel, type TrainedModel } from '../trained-model.ts';

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

/** In the parts of a run's own evaluation, so that the figures are the same to the last bit. */
function evaluateTest({ config, model, classNames, statistics }: TrainedModel, splits: DataSplits): EvaluationReport {
  const { test } = splits;
  const preparation = createPreparation(config.data, test.imageShape, statistics);
  const probabilities = new Float32Array(test.numExamples * classNames.length);
  let lossSum = 0;
  for (let part = 0; part < numEvaluationParts(test.numExamples); part += 1) {
    const evaluation = evaluatePart(model, splits, preparation, 'test', part);
    probabilities.set(evaluation.probabilities, evaluationPartRange(part, test.numExamples).from * classNames.length);
    lossSum += evaluation.lossSum;
  }
  return evaluatePredictions({ labels: test.labels, probabilities, lossSum, classNames });
}
