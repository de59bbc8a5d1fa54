import { openRunDirectory, type RunDirectory } from '@lockstep/checkpoint';
import type { DataSource, RunConfig } from '@lockstep/core';
import { createPreparation, loadSplits, type DataSplits } from '@lockstep/data';
import { evaluatePart, evaluateRows, type Engine } from '@lockstep/engine';
import { evaluatePredictions, renderRunEvaluation, tokenEvaluation, type EvaluationReport, type RunEvaluation, type TokenEvaluation } from '@lockstep/evaluation';
import { evaluationPartRange, numEvaluationParts, sizeOfImages, sizeOfRows } from '@lockstep/scheduling';
import { openTokenFile, splitRows } from '@lockstep/text';
import { Command } from 'commander';
import { readRunConfig } from '../run-files.ts';
import { terminal } from '../terminal.ts';
import { openTrainedLanguageModel } from '../language/trained-language-model.ts';
import { useTrainedModel, type TrainedModel } from '../trained-model.ts';
import { useEngine } from '../use-engine.ts';

export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description("Evaluate a run's final model on the test set of its data.")
    .argument('<run>', 'name or path of a run')
    .option('--runs-dir <dir>', 'where runs are', 'runs')
    .option('--json', 'print one JSON object')
    .action(async (name: string, options: { runsDir: string; json?: true }) => {
      const run = await openRunDirectory(options.runsDir, name);
      const print = (evaluation: RunEvaluation): void => {
        process.stdout.write(options.json ? `${JSON.stringify(evaluation.report)}\n` : renderRunEvaluation(evaluation, terminal()));
      };
      const config = await readRunConfig(run);
      const { source } = config.data;
      if (source.kind === 'tokens') await useEngine(config.numerics, async (engine) => print({ kind: 'tokens', report: await evaluateTokens(engine, run, config, source) }));
      else await useTrainedModel(run, async (trained) => print({ kind: 'classes', report: evaluateTest(trained, await loadSplits(trained.config.data, { seed: trained.config.seed })) }));
    });
}

/** In the parts of a run's own evaluation, so that the figures are the same to the last bit. */
function evaluateTest({ config, model, classNames, statistics }: TrainedModel, splits: DataSplits): EvaluationReport {
  const { test } = splits;
  const preparation = createPreparation(config.data, test.imageShape, statistics);
  const probabilities = new Float32Array(test.numExamples * classNames.length);
  let lossSum = 0;
  const size = sizeOfImages(test.numExamples);
  for (let part = 0; part < numEvaluationParts(size); part += 1) {
    const evaluation = evaluatePart(model, splits, preparation, 'test', part);
    probabilities.set(evaluation.probabilities, evaluationPartRange(part, size).from * classNames.length);
    lossSum += evaluation.lossSum;
  }
  return evaluatePredictions({ labels: test.labels, probabilities, lossSum, classNames });
}

/** The same of tokens. */
async function evaluateTokens(engine: Engine, run: RunDirectory, config: RunConfig, source: Extract<DataSource, { kind: 'tokens' }>): Promise<TokenEvaluation> {
  const model = await openTrainedLanguageModel(engine, run, config);
  using file = openTokenFile(source.file);
  const { test } = splitRows(file.numRows(source.rowLength), config.data);
  const parts = Array.from({ length: numEvaluationParts(sizeOfRows(test.to - test.from, source.rowLength)) }, (_, part) => evaluateRows(model, file, source.rowLength, test, part));
  const total = (figure: (part: (typeof parts)[number]) => number): number => parts.reduce((sum, part) => sum + figure(part), 0);
  return tokenEvaluation({ lossSum: total(({ lossSum }) => lossSum), numCorrect: total(({ numCorrect }) => numCorrect), numExamples: total(({ numExamples }) => numExamples) });
}
