import type { RunResult } from '@lockstep/app-coordinator';
import { renderRunEvaluation } from '@lockstep/evaluation';
import { terminal } from '../terminal.ts';

/** What a person reads at the end: how good the model is, how fast it was, where everything lies. */
export function printResult({ end, evaluation }: RunResult): void {
  const { stdout } = process;
  stdout.write(`\n${renderRunEvaluation(evaluation, terminal())}\n`);
  const lines = [
    `Trained ${end.steps} steps on ${end.trainExamples.toLocaleString('en')} ${end.examples} in ${end.trainSeconds.toFixed(1)} s (${Math.round(end.examplesPerSecond).toLocaleString('en')} ${end.examples}/s).`,
    ...(end.stoppedEarly === null ? [] : [`Stopped early: ${end.stoppedEarly}.`]),
    `Parameters SHA-256: ${end.parametersSha256}`,
    `Report:  ${end.directory}/report.html`,
    `Model:   ${end.examples === 'images' ? `${end.directory}/model/model.json, ` : ''}${end.directory}/model.safetensors`,
  ];
  stdout.write(`${lines.join('\n')}\n`);
}
