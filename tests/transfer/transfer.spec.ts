import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeSafetensors, type NamedTensor } from '@lockstep/checkpoint';
import type { EndEvent, EpochEvent } from '@lockstep/core';
import { lockstepEvents, type Ended } from '../support/processes.ts';

const DATA = ['--data.limit', '200', '--data.resize', '16,16', '--data.channels', '3', '--failure-detection-ms', '20000'];
const PHASE = [...DATA, '--global-batch-size', '64', '--epochs', '2', '--optimizer', 'adam', '--optimizer.learning-rate', '0.01'];

let runsDirectory: string;

const run = (name: string, ...flags: readonly string[]): Promise<Ended> => lockstepEvents('train', '--runs-dir', runsDirectory, '--run', name, ...flags);

interface Trained {
  readonly end: EndEvent;
  readonly epochs: readonly EpochEvent[];
}

async function train(name: string, ...flags: readonly string[]): Promise<Trained> {
  const { exitCode, stderr, events } = await run(name, ...flags);
  expect({ exitCode, stderr }, name).toEqual({ exitCode: 0, stderr: '' });
  return { end: events.find((event) => event.event === 'end')!, epochs: events.filter((event) => event.event === 'epoch') };
}

async function tensorsOf(name: string): Promise<ReadonlyMap<string, NamedTensor>> {
  const { tensors } = decodeSafetensors(await readFile(join(runsDirectory, name, 'model.safetensors')));
  return new Map(tensors.map((tensor) => [tensor.name, tensor]));
}

const baseModel = (): string => join(runsDirectory, 'base', 'model', 'model.json');

/** On the base's residual blocks, without its classifier. */
const onBase = (...flags: readonly string[]): string[] => ['--model', 'layersModel', '--model.weights', baseModel(), '--model.expects', 'unit', ...flags];

beforeAll(async () => {
  runsDirectory = await mkdtemp(join(tmpdir(), 'lockstep-transfer-'));
  await train('base', ...DATA, '--model', 'resnet', '--model.blocks', '2', '--model.width', '4', '--epochs', '1', '--global-batch-size', '32', '--micro-batches', '2');
});
afterAll(() => rm(runsDirectory, { recursive: true, force: true }));

describe('a new head on a saved model', () => {
  const head = new Map<number, Trained>();
  beforeAll(async () => {
    for (const workers of [1, 2, 3]) head.set(workers, await train(`head-${workers}`, ...PHASE, ...onBase(), '--workers', String(workers)));
  }, 120_000);

  it('ends with the same bytes by one, two and three workers', () => {
    const { end, epochs } = head.get(1)!;
    expect(epochs[1]!.loss).toBeLessThan(epochs[0]!.loss);
    for (const workers of [2, 3]) expect(head.get(workers)!.end).toMatchObject({ parametersSha256: end.parametersSha256, test: end.test });
  });

  it('leaves what is saved as it was, BatchNorm too, and the classifier out', async () => {
    const [base, trained] = [await tensorsOf('base'), await tensorsOf('head-3')];
    const names = [...base.keys()].filter((name) => !name.startsWith('logits/'));
    expect(new Set(trained.keys())).toEqual(new Set([...names, 'head/kernel', 'head/bias', 'pixels/kernel', 'pixels/bias']));
    expect(names.filter((name) => name.includes('moving_'))).not.toEqual([]);
    for (const name of names) expect(trained.get(name)).toEqual(base.get(name));
  });

  it('is where a second phase begins: nothing changes at a learning rate of 0', async () => {
    const { end } = await train('still', ...PHASE, ...onBase(), '--init-from', join(runsDirectory, 'head-1'), '--optimizer.learning-rate', '0', '--seed', '9');
    expect(end.parametersSha256).toBe(head.get(1)!.end.parametersSha256);
  });

  it('is trained on together with the layers above, the same bytes by any number of workers', async () => {
    const second = ['--init-from', join(runsDirectory, 'head-2', 'model.safetensors'), '--model.trainable', 'block2_*', '--optimizer.learning-rate', '0.003'];
    const [one, three] = [await train('top-1', ...PHASE, ...onBase(...second), '--workers', '1'), await train('top-3', ...PHASE, ...onBase(...second), '--workers', '3', '--shards', '2')];
    expect(three.end).toMatchObject({ parametersSha256: one.end.parametersSha256, test: one.end.test });
    expect(one.epochs[1]!.loss).toBeLessThan(one.epochs[0]!.loss);
    const [before, after] = [await tensorsOf('head-1'), await tensorsOf('top-3')];
    expect(after.get('block1_1_conv/kernel')).toEqual(before.get('block1_1_conv/kernel'));
    for (const name of ['block2_1_conv/kernel', 'block2_1_bn/moving_mean', 'head/kernel']) expect(after.get(name)).not.toEqual(before.get(name));
  });
});

describe('before any work is done', () => {
  it('weights of another model are refused with a list of what does not fit', async () => {
    const { exitCode, stderr, events } = await run('wrong', ...DATA, '--model', 'mobilenetV2', '--model.weights', baseModel());
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/model\.weights: .*model\.json does not fit the backbone in \d+ of its tensors: Conv1\/kernel of shape \[3, 3, 3, 32\] is missing; /);
    expect(stderr).toContain('stem_conv/kernel is in no layer of the backbone');
    expect(events.filter(({ event }) => event === 'step')).toEqual([]);
  });

  it('weights that a worker cannot see are refused with what to do about it', async () => {
    const { exitCode, stderr } = await run('unseen', ...DATA, '--model', 'vgg16', '--model.weights', join(runsDirectory, 'gone', 'model.json'));
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/model\.weights: cannot read .*gone.model\.json: ENOENT/);
    expect(stderr).toContain('every worker reads it by this path');
  });

  it('a run to begin from that is of another model is refused with a list of what does not fit', async () => {
    const { exitCode, stderr } = await run('other', ...DATA, '--model', 'mlp', '--init-from', join(runsDirectory, 'base'));
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/initFrom: .*model\.safetensors does not fit the model in 3 of its tensors: hidden1\/kernel of shape \[768, 128\] is missing; .*; logits\/kernel has shape \[8, 10\], expected \[128, 10\]/);
  });
});
