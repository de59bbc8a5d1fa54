import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeSafetensors } from '@lockstep/checkpoint';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lockstepEvents } from '../support/processes.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-layer-rates-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function train(run: string, ...flags: readonly string[]): Promise<string> {
  const { exitCode, stderr, events } = await lockstepEvents(
    'train', '--model', 'mlp', '--model.hidden', '8', '--data.limit', '320', '--global-batch-size', '64', '--epochs', '1', '--optimizer', 'adamw', '--runs-dir', directory, '--run', run, ...flags,
  );
  expect({ exitCode, stderr }, run).toEqual({ exitCode: 0, stderr: '' });
  return events.find((event) => event.event === 'end')!.parametersSha256;
}

async function tensorOf(run: string, name: string): Promise<Float32Array> {
  const { tensors } = decodeSafetensors(await readFile(join(directory, run, 'model.safetensors')));
  return tensors.find((tensor) => tensor.name === name)!.data;
}

it('tensors step at rates of their own, to the same bytes by any number of workers and shards', async () => {
  const rates = ['--layer-rates', 'hidden1/*=0.1,logits/bias=0'];
  const one = await train('one', '--workers', '1', ...rates);
  expect(await train('three', '--workers', '3', '--shards', '5', '--replicas', '1', '--shard-hosts', 'coordinator,workers', ...rates)).toBe(one);
  expect(await train('even', '--workers', '1')).not.toBe(one);
  expect([...await tensorOf('one', 'logits/bias')].every((value) => value === 0)).toBe(true);
  expect([...await tensorOf('even', 'logits/bias')].every((value) => value !== 0)).toBe(true);
}, 120_000);

it('a pattern that fits nothing is refused', async () => {
  const { exitCode, stderr } = await lockstepEvents('train', '--model', 'mlp', '--data.limit', '320', '--runs-dir', directory, '--layer-rates', 'hiden1/*=0.1');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('layerRates: hiden1/*=0.1 fits no tensor that trains');
}, 60_000);
