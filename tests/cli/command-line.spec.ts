import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockstep, MAIN } from './lockstep.ts';

let directory: string;
beforeAll(async () => { directory = await mkdtemp(join(tmpdir(), 'lockstep-flags-')); });
afterAll(() => rm(directory, { recursive: true, force: true }));

const failure = (message: string) => ({ exitCode: 2, stdout: '', stderr: `error: ${message}\n` });

describe('help', () => {
  it('lists every command', async () => {
    const { exitCode, stdout } = await lockstep('--help');
    expect(exitCode).toBe(0);
    for (const name of ['train', 'coordinator', 'worker', 'evaluate', 'predict', 'verify', 'data', 'doctor']) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  });

  it('groups the config\'s flags, with their defaults', async () => {
    const { exitCode, stdout } = await lockstep('data', 'inspect', '--help');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Optimizer:\n +--optimizer <sgd\|adam\|adamw\|rmsprop>/m);
    expect(stdout).toMatch(/--global-batch-size <n> +samples of one step, over all workers\s+\(default: 256\)/);
  });
});

describe('a mistake on the command line is one line, and exit code 2', () => {
  it.each([
    [['frob'], "unknown command 'frob'"],
    [['verify', 'a'], "missing required argument 'b'"],
    [['train', '--micro-batches', '3'], 'microBatches: got 3, expected a power of two (from --micro-batches)'],
    [['coordinator', '--model', 'cnnx'], 'model.kind: got "cnnx", expected one of mlp, cnn, cnn-small, lenet, rnn, resnet, vit, mobilenetV2, vgg16, resnet50, layersModel, transformer, pretrained (from --model)'],
    [['worker', '--join', '127.0.0.1:7077', '--engine', 'abacus'], "option '--engine <engine>' argument 'abacus' is invalid. Allowed choices are auto, cpu, gpu, javascript."],
    [['data', 'inspect', '--data', 'tar:x'], 'data: got "tar:x", expected mnist, idx:DIR, csv:TRAIN[,TEST], images:DIR or tokens:FILE (from --data)'],
  ])('%j', async (args, message) => {
    expect(await lockstep(...args)).toEqual(failure(message));
  });

  it('names the flag that was meant', async () => {
    expect(await lockstep('verify', 'a', 'b', '--jsn')).toMatchObject({ exitCode: 2, stderr: "error: unknown option '--jsn'\n(Did you mean --json?)\n" });
  });
});

it.each([
  [['train', '--epochs', '0']],
  [['coordinator', '--listen', '0.0.0.0:0']],
])('%j makes no run', async (args) => {
  const runs = join(directory, 'runs');
  expect(await lockstep(...args, '--runs-dir', runs)).toMatchObject({ exitCode: 2 });
  await expect(readdir(runs)).rejects.toMatchObject({ code: 'ENOENT' });
});

describe('a mistake in a config file', () => {
  it('is a line each, and the file is named', async () => {
    const file = join(directory, 'lockstep.config.ts');
    await writeFile(file, "import { defineRun, mnist } from 'lockstep';\nexport default defineRun({ data: mnist({ validation: 2 }), epochs: 'all' as never });\n");
    expect(await lockstep('data', 'inspect', '--config', file)).toEqual({
      exitCode: 2, stdout: '',
      stderr: `error: data.validation: got 2, expected a number from 0 to 0.9 (from ${file})\nerror: epochs: got "all", expected a whole number, at least 1 (from ${file})\n`,
    });
  });

  it('is said with what to do where there is no file', async () => {
    const file = join(directory, 'none.ts');
    expect(await lockstep('data', 'inspect', '--config', file)).toEqual({ exitCode: 2, stdout: '', stderr: `error: no config file at ${file}\nhint: name one with --config FILE\n` });
  });
});

it('ends quietly when its reader goes away', async () => {
  const shell = spawn('bash', ['-o', 'pipefail', '-c', `"${process.execPath}" "${MAIN}" data inspect --help | head -1`], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  shell.stdout.resume();
  shell.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  const exitCode = await new Promise((resolve) => { shell.on('close', resolve); });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
});
