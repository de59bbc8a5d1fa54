import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRunDirectory, decodeSafetensors, flatFromTensors } from '@lockstep/checkpoint';
import { runSchema, sha256 } from '@lockstep/core';
import { createTrainingModel } from '@lockstep/engine';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockstep } from './lockstep.ts';
import { trainRun, type TrainedRun } from './trained-run.ts';

let trained: TrainedRun;
beforeAll(async () => { trained = await trainRun(); });
afterAll(() => rm(trained.runsDirectory, { recursive: true, force: true }));

describe('the saved model', () => {
  it('opens with tf.loadLayersModel, the same to the bit', async () => {
    const { engine, run, test, model, flat } = trained;
    const opened = await engine.tf.loadLayersModel(`file://${run.file('model/model.json')}`);
    const again = createTrainingModel(engine, opened, { loss: runSchema.parse({}).loss, numClasses: 10 });
    const inputs = Float32Array.from(test.images.subarray(0, 50 * 784), (pixel) => pixel / 255);
    expect(again.readParameters()).toEqual(flat);
    expect(again.evaluate(inputs, test.labels.subarray(0, 50))).toEqual(model.evaluate(inputs, test.labels.subarray(0, 50)));
  });

  it('holds the parameters in safetensors, bit for bit', async () => {
    const { tensors } = decodeSafetensors(await readFile(trained.run.file('model.safetensors')));
    expect(flatFromTensors(trained.model.layout, tensors)).toEqual(trained.flat);
  });
});

describe('lockstep evaluate', () => {
  it('scores the test images', async () => {
    const { exitCode, stdout } = await lockstep('evaluate', trained.run.path, '--json');
    const report = JSON.parse(stdout) as { numExamples: number; accuracy: number; loss: number };
    expect(exitCode).toBe(0);
    expect(report.numExamples).toBe(10_000);
    expect(report.accuracy).toBeGreaterThan(0.9);
    expect(report.loss).toBeLessThan(0.4);
  });

  it('prints a table without --json, the run found by name', async () => {
    const { exitCode, stdout, stderr } = await lockstep('evaluate', 'digits', '--runs-dir', trained.runsDirectory);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('Confusion matrix');
  });

  it('says that a run without a model has not ended', async () => {
    const unfinished = await createRunDirectory(trained.runsDirectory, 'unfinished');
    await unfinished.writeAtomically('config.json', '{}');
    const { exitCode, stderr } = await lockstep('evaluate', unfinished.path);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('run unfinished has no model.safetensors');
  });
});

describe('lockstep predict', () => {
  const pictures = (draw: (image: Sharp) => Sharp, suffix: string) => Promise.all(Array.from({ length: 40 }, async (_, index) => {
    const path = join(trained.runsDirectory, `${index}-${suffix}.png`);
    await draw(sharp(trained.test.images.subarray(index * 784, (index + 1) * 784), { raw: { width: 28, height: 28, channels: 1 } })).png().toFile(path);
    return path;
  }));

  const numRight = async (paths: readonly string[]) => {
    const { exitCode, stdout } = await lockstep('predict', trained.run.path, '--json', ...paths);
    expect(exitCode).toBe(0);
    const classes = stdout.trim().split('\n').map((line) => (JSON.parse(line) as { class: string }).class);
    return classes.filter((name, index) => name === String(trained.test.labels[index])).length;
  };

  it.each<[string, (image: Sharp) => Sharp]>([
    ['as MNIST has them', (image) => image],
    ['large, dark on white', (image) => image.resize(300, 300, { kernel: 'cubic' }).negate()],
    ['off centre on a grey page', (image) => image.resize(120, 120, { kernel: 'cubic' }).extend({ top: 10, left: 300, bottom: 200, right: 30, background: '#000' }).linear(-0.6, 200)],
  ])('knows digits %s', async (name, draw) => {
    expect(await numRight(await pictures(draw, sha256(name).slice(0, 6)))).toBeGreaterThanOrEqual(38);
  });

  it('prints a line a picture', async () => {
    const [path] = await pictures((image) => image, 'line');
    const { stdout } = await lockstep('predict', trained.run.path, path!);
    expect(stdout).toMatch(/0-line\.png {2}7 +\d+\.\d % {3}0▁ .*7█/);
  });

  it('refuses a blank picture and what is no picture, naming the file', async () => {
    const blank = join(trained.runsDirectory, 'blank.png');
    await sharp({ create: { width: 40, height: 40, channels: 3, background: '#fff' } }).png().toFile(blank);
    const text = join(trained.runsDirectory, 'text.png');
    await writeFile(text, 'no picture');
    expect(await lockstep('predict', trained.run.path, blank)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`${blank}: no digit found`) as string });
    expect(await lockstep('predict', trained.run.path, text)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`${text}: not a picture`) as string });
    expect(await lockstep('predict', trained.run.path, `${text}.gone`)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('no picture at') as string });
  });
});
