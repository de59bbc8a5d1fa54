import { openRunDirectory } from '@lockstep/checkpoint';
import { createPreparation, type Dataset } from '@lockstep/data';
import { Command } from 'commander';
import { readPicture } from '../predict/picture.ts';
import { renderPrediction, type Prediction } from '../predict/render-prediction.ts';
import { readTrainedOn, useTrainedModel, type TrainedModel } from '../trained-model.ts';

export function predictCommand(): Command {
  return new Command('predict')
    .description("Recognise a digit in each picture with a run's final model; any size, dark on light or light on dark.")
    .argument('<run>', 'name or path of a run')
    .argument('<pictures...>', 'PNG, JPEG or other pictures')
    .option('--runs-dir <dir>', 'where runs are', 'runs')
    .option('--json', 'print one JSON object a picture')
    .action(async (name: string, files: readonly string[], options: { runsDir: string; json?: true }) => {
      const run = await openRunDirectory(options.runsDir, name);
      const { imageShape } = await readTrainedOn(run);
      const pictures = await Promise.all(files.map((file) => readPicture(file, imageShape)));
      await useTrainedModel(run, async (trained) => {
        const fileWidth = Math.max(...files.map((file) => file.length));
        for (const prediction of predictAll(trained, files, pictures)) {
          console.log(options.json ? JSON.stringify(prediction) : renderPrediction(prediction, fileWidth));
        }
      });
    });
}

function predictAll({ config, model, classNames, imageShape, statistics }: TrainedModel, files: readonly string[], pictures: readonly Uint8Array[]): Prediction[] {
  const labels = new Uint8Array(pictures.length);
  const dataset: Dataset = { images: Buffer.concat(pictures), labels, imageShape, numExamples: pictures.length };
  const preparation = createPreparation(config.data, imageShape, statistics);
  const inputs = new Float32Array(pictures.length * preparation.sampleLength);
  preparation.prepare(dataset, [...pictures.keys()], null, inputs);
  const { probabilities } = model.evaluate(inputs, labels);
  return files.map((file, index) => predictionOf(file, probabilities.subarray(index * classNames.length, (index + 1) * classNames.length), classNames));
}

function predictionOf(file: string, row: Float32Array, classNames: readonly string[]): Prediction {
  const best = row.indexOf(Math.max(...row));
  const probabilities = Object.fromEntries(classNames.map((name, label) => [name, row[label]!]));
  return { file, class: classNames[best]!, probability: row[best]!, probabilities };
}
