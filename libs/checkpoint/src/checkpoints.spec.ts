import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesOf, layOutParameters, sha256, type LockstepError } from '@lockstep/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listCheckpoints, removeCheckpoints } from './checkpoint-directory.ts';
import { newestCheckpoint, readCheckpoint } from './checkpoint-reader.ts';
import { writeCheckpoint, type CheckpointContents } from './checkpoint-writer.ts';
import { createRunDirectory, type RunDirectory } from './run-directory.ts';
import { decodeSafetensors } from './safetensors.ts';

const layout = layOutParameters([
  { name: 'conv1/kernel', shape: [2, 3], kind: 'trainable' },
  { name: 'norm/mean', shape: [2], kind: 'buffer' },
  { name: 'conv1/bias', shape: [3], kind: 'trainable' },
]);
const shared = (length: number, value: (index: number) => number): Float32Array => {
  const vector = new Float32Array(new SharedArrayBuffer(4 * length));
  vector.forEach((_, index) => { vector[index] = value(index); });
  return vector;
};

/** Bits that a conversion by way of text would lose are among the values. */
function contentsAt(version: number, change: Partial<CheckpointContents> = {}): CheckpointContents {
  const parameters = change.parameters ?? shared(layout.totalLength, (index) => [-0, NaN, 1e-45, 0.1][index % 4]! + version);
  return {
    runId: 'run', configSha256: sha256('config'), version, epoch: 1, samplesIntoEpoch: 640, seed: 7,
    progress: {
      best: { epoch: 0, loss: 0.1 + 0.2, version: 5 }, trainSeconds: 1.25, numExamples: 1234,
    },
    layout,
    parameters,
    parametersSha256: sha256(bytesOf(parameters)),
    slots: [{ name: 'exp_avg', data: shared(9, (index) => index / 3) }, { name: 'exp_avg_sq', data: Float32Array.from({ length: 9 }, (_, index) => index / 7) }],
    ...change,
  };
}

let runs: string;
let run: RunDirectory;
beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), 'lockstep-checkpoints-'));
  run = await createRunDirectory(runs, 'digits');
});
afterEach(() => rm(runs, { recursive: true, force: true }));

const fileOf = (version: number, name: string) => join(run.path, 'checkpoints', `step-${String(version).padStart(8, '0')}`, name);
const bits = (vector: Float32Array) => Buffer.from(bytesOf(vector)).toString('hex');

describe('a checkpoint', () => {
  it('comes back to the bit, with all that a run goes on from', async () => {
    const contents = contentsAt(1200);
    const written = await writeCheckpoint(run, contents);
    expect(written).toEqual({ directory: join(run.path, 'checkpoints', 'step-00001200'), version: 1200 });
    const { parameters, slots, ...rest } = await readCheckpoint(run, 1200, layout);
    const { layout: _, parameters: expectedParameters, slots: expectedSlots, ...expected } = contents;
    expect(rest).toEqual({ ...expected, ...written, lockstepVersion: expect.stringMatching(/^\d+\.\d+\.\d+/) as string });
    expect(bits(parameters)).toBe(bits(expectedParameters));
    expect(slots.map(({ name, data }) => [name, bits(data)])).toEqual(expectedSlots.map(({ name, data }) => [name, bits(data)]));
  });

  it('is safetensors that name each tensor and slot, and a manifest with the SHA-256 of both', async () => {
    await writeCheckpoint(run, contentsAt(3));
    const files = await Promise.all(['parameters.safetensors', 'optimizer.safetensors'].map((name) => readFile(fileOf(3, name))));
    expect(files.map((file) => decodeSafetensors(file).tensors.map(({ name, shape }) => `${name} ${shape}`))).toEqual([
      ['conv1/kernel 2,3', 'conv1/bias 3', 'norm/mean 2'],
      ['exp_avg/conv1/kernel 2,3', 'exp_avg/conv1/bias 3', 'exp_avg_sq/conv1/kernel 2,3', 'exp_avg_sq/conv1/bias 3'],
    ]);
    const [parameters, optimizer] = files.map((file) => ({ sha256: sha256(file), bytes: file.length }));
    expect(JSON.parse(await readFile(fileOf(3, 'manifest.json'), 'utf8'))).toMatchObject({
      formatVersion: 1, version: 3, files: { 'parameters.safetensors': parameters, 'optimizer.safetensors': optimizer },
    });
  });

  it('of plain SGD has no optimizer file', async () => {
    await writeCheckpoint(run, contentsAt(3, { slots: [] }));
    expect(await readdir(fileOf(3, ''))).toEqual(['manifest.json', 'parameters.safetensors']);
    expect(await readCheckpoint(run, 3, layout)).toMatchObject({ slots: [] });
  });

  it('of the same state has the same tensor files in every run', async () => {
    const other = await createRunDirectory(runs, 'other');
    await writeCheckpoint(run, contentsAt(3));
    await writeCheckpoint(other, contentsAt(3, { runId: 'other' }));
    for (const name of ['parameters.safetensors', 'optimizer.safetensors']) {
      expect(await readFile(join(other.path, 'checkpoints', 'step-00000003', name))).toEqual(await readFile(fileOf(3, name)));
    }
  });

  it('that is whole is left as it is, one that is not is replaced', async () => {
    await writeCheckpoint(run, contentsAt(3));
    const before = await stat(fileOf(3, 'manifest.json'));
    await writeCheckpoint(run, contentsAt(3));
    expect((await stat(fileOf(3, 'manifest.json'))).ino).toBe(before.ino);
    await truncate(fileOf(3, 'optimizer.safetensors'), 20);
    await writeCheckpoint(run, contentsAt(3));
    expect(await readCheckpoint(run, 3, layout)).toMatchObject({ version: 3 });
    expect(await readdir(join(run.path, 'checkpoints'))).toEqual(['step-00000003']);
  });

  it('may be written while another is', async () => {
    await Promise.all([1, 2, 3].map((version) => writeCheckpoint(run, contentsAt(version))));
    expect(await listCheckpoints(run)).toEqual([1, 2, 3]);
    expect((await readCheckpoint(run, 2, layout)).version).toBe(2);
  });

  it('is refused where it could not be read again, and leaves nothing', async () => {
    await expect(writeCheckpoint(run, contentsAt(3, { progress: { best: null, trainSeconds: NaN, numExamples: 0 } }))).rejects.toMatchObject({ code: 'storage', message: expect.stringContaining('trainSeconds') as string });
    expect(await readdir(join(run.path, 'checkpoints'))).toEqual([]);
  });

  it('is refused where the vector is not the layout\'s, and leaves nothing', async () => {
    await expect(writeCheckpoint(run, contentsAt(3, { parameters: new Float32Array(3) }))).rejects.toMatchObject({ code: 'storage' });
    expect(await listCheckpoints(run)).toEqual([]);
  });
});

describe('the checkpoints of a run', () => {
  it('are listed oldest first, whatever else lies there', async () => {
    expect(await listCheckpoints(run)).toEqual([]);
    for (const name of ['step-00000010', 'step-00000009', 'step-123456789', 'step-7', 'notes', 'step-00000011.partial-1-ab']) await mkdir(join(run.path, 'checkpoints', name), { recursive: true });
    expect(await listCheckpoints(run)).toEqual([9, 10, 123456789]);
  });

  it('are removed, those that are gone too', async () => {
    for (const version of [1, 2, 3]) await writeCheckpoint(run, contentsAt(version));
    await removeCheckpoints(run, [1, 3, 99]);
    expect(await listCheckpoints(run)).toEqual([2]);
  });

  it('lose what a crashed write has left, at the next write', async () => {
    await mkdir(join(run.path, 'checkpoints', `step-00000001.partial-${process.pid}-0123abcd`), { recursive: true });
    await writeFile(join(run.path, 'checkpoints', 'step-00000001.partial-77-0123abcd-replaced'), 'x');
    await writeCheckpoint(run, contentsAt(2));
    expect(await readdir(join(run.path, 'checkpoints'))).toEqual(['step-00000002']);
  });
});

describe('a checkpoint that is not whole', () => {
  const flip = async (path: string, at: number) => {
    const bytes = await readFile(path);
    bytes[at < 0 ? bytes.length + at : at]! ^= 1;
    await writeFile(path, bytes);
  };
  const editManifest = async (change: (manifest: Record<string, unknown>) => void) => {
    const manifest = JSON.parse(await readFile(fileOf(8, 'manifest.json'), 'utf8')) as Record<string, unknown>;
    change(manifest);
    await writeFile(fileOf(8, 'manifest.json'), JSON.stringify(manifest));
  };
  const damages: readonly [string, () => Promise<unknown>, string, string][] = [
    ['truncated parameters', () => truncate(fileOf(8, 'parameters.safetensors'), 40), 'parameters.safetensors', 'it has 40 bytes, expected'],
    ['bytes after its parameters', () => appendFile(fileOf(8, 'parameters.safetensors'), 'x'), 'parameters.safetensors', 'bytes, expected'],
    ['one flipped bit of its parameters', () => flip(fileOf(8, 'parameters.safetensors'), -1), 'parameters.safetensors', 'is damaged: its SHA-256 is'],
    ['one flipped bit of its optimizer state', () => flip(fileOf(8, 'optimizer.safetensors'), -1), 'optimizer.safetensors', 'is damaged: its SHA-256 is'],
    ['no optimizer file', () => rm(fileOf(8, 'optimizer.safetensors')), 'optimizer.safetensors', 'ENOENT'],
    ['a directory for a file', async () => { await rm(fileOf(8, 'optimizer.safetensors')); await mkdir(fileOf(8, 'optimizer.safetensors')); }, 'optimizer.safetensors', 'cannot read'],
    ['no manifest', () => rm(fileOf(8, 'manifest.json')), 'manifest.json', 'ENOENT'],
    ['half a manifest', () => truncate(fileOf(8, 'manifest.json'), 100), 'manifest.json', 'is damaged'],
    ['a manifest of zeros', () => writeFile(fileOf(8, 'manifest.json'), Buffer.alloc(300)), 'manifest.json', 'is damaged'],
    ['a manifest without end', () => truncate(fileOf(8, 'manifest.json'), 2_000_000), 'manifest.json', 'it has 2000000 bytes, expected 1000000 at most'],
    ['another format version', () => editManifest((manifest) => { manifest['formatVersion'] = 2; }), 'manifest.json', 'formatVersion is 2, expected 1'],
    ['no format version', () => editManifest((manifest) => { delete manifest['formatVersion']; }), 'manifest.json', 'formatVersion is missing, expected 1'],
    ['a field of another type', () => editManifest((manifest) => { manifest['seed'] = '7'; }), 'manifest.json', 'seed'],
    ['the name of another version', () => rename(fileOf(8, ''), fileOf(9, '')), 'manifest.json', 'version is 8, expected 9'],
  ];

  it.each(damages)('is named and skipped: %s', async (_, damage, file, reason) => {
    for (const version of [7, 8]) await writeCheckpoint(run, contentsAt(version));
    await damage();
    const skipped: LockstepError[] = [];
    const newest = await newestCheckpoint(run, layout, { onSkipped: (error) => skipped.push(error) });
    expect(newest?.version).toBe(7);
    expect(skipped.map(({ code }) => code)).toEqual(['storage']);
    expect(skipped[0]!.message).toContain(fileOf(file === 'manifest.json' && reason.startsWith('version') ? 9 : 8, file));
    expect(skipped[0]!.message).toContain(reason);
  });

  it('or of another model is named with its tensor', async () => {
    await writeCheckpoint(run, contentsAt(8));
    const other = layOutParameters([...layout.parameters, { name: 'extra/bias', shape: [1], kind: 'trainable' }]);
    await expect(readCheckpoint(run, 8, other)).rejects.toThrow('tensor exp_avg/extra/bias is missing');
  });

  it('leaves none where it is the only one', async () => {
    await writeCheckpoint(run, contentsAt(8));
    await rm(fileOf(8, 'manifest.json'));
    expect(await newestCheckpoint(run, layout, { onSkipped: () => undefined })).toBeNull();
    await expect(readCheckpoint(run, 4, layout)).rejects.toMatchObject({ code: 'not-found', message: `no checkpoint of version 4 in ${run.path}` });
  });
});
