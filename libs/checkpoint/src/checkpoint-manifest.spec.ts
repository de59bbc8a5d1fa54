import { sha256 } from '@lockstep/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readManifest, type CheckpointManifest } from './checkpoint-manifest.ts';

const file = { sha256: sha256('x'), bytes: 100 };
const manifest: CheckpointManifest = {
  formatVersion: 1, lockstepVersion: '0.1.0', runId: 'run', configSha256: sha256('config'), version: 5, epoch: 0, samplesIntoEpoch: 3, seed: 7,
  parametersSha256: sha256('p'), optimizerSlots: ['exp_avg'], files: { 'parameters.safetensors': file, 'optimizer.safetensors': file },
  progress: { best: null, trainSeconds: 1, numExamples: 3 },
};
const text = JSON.stringify(manifest);

it('a manifest is read as it was written', () => {
  expect(readManifest(text, 'manifest.json')).toEqual(manifest);
});

it.each<[string, object, string]>([
  ['a file outside of its directory', { files: { ...manifest.files, '../../etc/passwd': file } }, 'etc/passwd'],
  ['a negative size', { files: { 'parameters.safetensors': { ...file, bytes: -1 } } }, 'bytes'],
  ['no parameters', { files: {} }, 'parameters.safetensors'],
  ['a hash that is none', { parametersSha256: 'x' }, '64 hexadecimal digits'],
  ['a field of a later version', { futureField: 1 }, 'futureField'],
  ['a format version that an object has by itself', { formatVersion: 'constructor' }, 'formatVersion is "constructor", expected 1'],
])('a manifest with %s is refused', (_, change, reason) => {
  expect(() => readManifest(JSON.stringify({ ...manifest, ...change }), '/runs/a/manifest.json')).toThrow(reason);
});

it('whatever a manifest says, the reader gives one or names the file', () => {
  const keys = Object.keys(manifest) as (keyof CheckpointManifest)[];
  const changed = fc.tuple(fc.constantFrom(...keys), fc.jsonValue()).map(([key, value]) => JSON.stringify({ ...manifest, [key]: value }));
  const cut = fc.nat(text.length).map((length) => text.slice(0, length));
  fc.assert(fc.property(fc.oneof(changed, cut, fc.json(), fc.string()), (input) => {
    let outcome: unknown;
    try {
      outcome = readManifest(input, '/runs/a/manifest.json');
    } catch (error) {
      outcome = error;
    }
    if (outcome instanceof Error) expect(outcome).toMatchObject({ name: 'LockstepError', code: 'storage', message: expect.stringContaining('/runs/a/manifest.json') as string });
    else expect(outcome).toHaveProperty('parametersSha256');
  }), { numRuns: 2000, seed: 13 });
});
