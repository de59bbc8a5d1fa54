import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layOutParameters } from '@lockstep/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replaceDirectory } from './atomic-file.ts';
import { readLayersModel, writeLayersModel } from './layers-model.ts';
import { createRunDirectory, openRunDirectory } from './run-directory.ts';

let runs: string;
beforeEach(async () => { runs = join(await mkdtemp(join(tmpdir(), 'lockstep-runs-')), 'runs'); });
afterEach(() => rm(join(runs, '..'), { recursive: true, force: true }));

describe('createRunDirectory', () => {
  it('makes the directory of a named run', async () => {
    const run = await createRunDirectory(runs, 'first');
    expect(run).toMatchObject({ name: 'first', path: join(runs, 'first') });
    expect(await readdir(runs)).toEqual(['first']);
  });

  it('never takes a name twice', async () => {
    await createRunDirectory(runs, 'first');
    await expect(createRunDirectory(runs, 'first')).rejects.toMatchObject({ code: 'usage', message: `run first exists already: ${join(runs, 'first')}`, hint: expect.stringContaining('--run') as string });
    const unnamed = await Promise.all(Array.from({ length: 5 }, () => createRunDirectory(runs, undefined)));
    expect(new Set(unnamed.map(({ name }) => name)).size).toBe(5);
    expect(unnamed[0]!.name).toMatch(/^\d{4}(-\d\d){5}(-\d)?$/);
  });

  it.each(['../out', 'a/b', '', '.hidden', 'a b'])('refuses the name %j', async (name) => {
    await expect(createRunDirectory(runs, name)).rejects.toMatchObject({ code: 'usage' });
  });

  it('reports a place that is no directory', async () => {
    await mkdir(join(runs, '..'), { recursive: true });
    await writeFile(runs, '');
    await expect(createRunDirectory(runs, 'first')).rejects.toMatchObject({ code: 'storage' });
  });
});

describe('openRunDirectory', () => {
  it('finds a run by name and by path', async () => {
    const { path } = await createRunDirectory(runs, 'first');
    expect(await openRunDirectory(runs, 'first')).toMatchObject({ path });
    expect(await openRunDirectory('elsewhere', path)).toMatchObject({ name: 'first', path });
  });

  it('names the runs that there are', async () => {
    await createRunDirectory(runs, 'first');
    await expect(openRunDirectory(runs, 'frist')).rejects.toMatchObject({ code: 'not-found', hint: 'runs there: first' });
    await expect(openRunDirectory(join(runs, 'none'), 'x')).rejects.toMatchObject({ hint: expect.stringContaining('no runs yet') as string });
  });
});

describe('files of a run', () => {
  it('are replaced whole, and leave nothing else', async () => {
    const run = await createRunDirectory(runs, 'first');
    await run.writeAtomically('model/part.bin', [Uint8Array.of(1, 2), Uint8Array.of(3)]);
    await run.writeAtomically('model/part.bin', Uint8Array.of(4));
    expect([...await readFile(run.file('model/part.bin'))]).toEqual([4]);
    expect(await readdir(run.file('model'))).toEqual(['part.bin']);
  });

  it('stay as they were when a write fails', async () => {
    const run = await createRunDirectory(runs, 'first');
    await mkdir(run.file('report.html'));
    await expect(run.writeAtomically('report.html', 'x')).rejects.toMatchObject({ code: 'storage', message: expect.stringContaining(run.file('report.html')) as string });
    expect(await readdir(run.path)).toEqual(['report.html']);
  });

  it('a directory stays as it was when filling its successor fails', async () => {
    const run = await createRunDirectory(runs, 'first');
    const fill = (text: string) => (directory: string) => writeFile(join(directory, 'a'), text);
    await replaceDirectory(run.file('model'), fill('1'));
    await expect(replaceDirectory(run.file('model'), () => Promise.reject(new Error('full')))).rejects.toMatchObject({ code: 'storage' });
    expect(await readFile(run.file('model/a'), 'utf8')).toBe('1');
    await replaceDirectory(run.file('model'), fill('2'));
    expect(await readFile(run.file('model/a'), 'utf8')).toBe('2');
    expect(await readdir(run.path)).toEqual(['model']);
  });
});

describe('a LayersModel on disk', () => {
  const layout = layOutParameters([{ name: 'a/kernel', shape: [2], kind: 'trainable' }, { name: 'a/mean', shape: [1], kind: 'buffer' }]);
  const model = { topology: { class_name: 'Sequential' }, layout, vectors: [Float32Array.of(1, 2), Float32Array.of(3)] };

  it('has TensorFlow.js\'s format', async () => {
    await writeLayersModel(runs, model);
    const json = JSON.parse(await readFile(join(runs, 'model.json'), 'utf8')) as unknown;
    expect(json).toMatchObject({
      format: 'layers-model', modelTopology: { class_name: 'Sequential' },
      weightsManifest: [{ paths: ['weights.bin'], weights: [{ name: 'a/kernel', shape: [2], dtype: 'float32' }, { name: 'a/mean', shape: [1], dtype: 'float32' }] }],
    });
    expect(await readLayersModel(runs)).toEqual({ topology: model.topology, names: ['a/kernel', 'a/mean'], flat: Float32Array.of(1, 2, 3) });
  });

  it('is named where it is missing or damaged', async () => {
    await expect(readLayersModel(runs)).rejects.toMatchObject({ code: 'storage', message: expect.stringContaining(runs) as string });
    await writeLayersModel(runs, model);
    await writeFile(join(runs, 'weights.bin'), 'abc');
    await expect(readLayersModel(runs)).rejects.toMatchObject({ code: 'storage' });
  });
});
