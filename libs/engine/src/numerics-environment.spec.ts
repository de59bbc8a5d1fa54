import { execFileSync } from 'node:child_process';
import { numericsSchema, type Numerics } from '@lockstep/core';
import { chooseNumerics } from '@lockstep/scheduling';
import { describe, expect, it } from 'vitest';
import { detectCapabilities } from './capabilities.ts';
import { loadEngine } from './load-engine.ts';
import { numericsEnvironment } from './numerics-environment.ts';

async function numericsHere(intraOpThreads: number): Promise<Numerics> {
  return chooseNumerics(numericsSchema.parse({ intraOpThreads }), [await detectCapabilities('auto')]);
}

/** Loads the engine and tells how many threads the process had more after a product of matrices that would be shared. */
const THREAD_COUNT = `
  const { readdirSync } = require('node:fs');
  const { parentPort, workerData } = require('node:worker_threads');
  (async () => {
    const { loadEngine } = await import(workerData.module);
    const { tf } = await loadEngine(workerData.numerics);
    const before = readdirSync('/proc/self/task').length;
    const a = tf.ones([600, 600]);
    tf.tidy(() => tf.matMul(a, a).sum().dataSync());
    parentPort.postMessage(readdirSync('/proc/self/task').length);
  })().catch((error) => parentPort.postMessage(String(error)));`;

describe('the environment of the numerics', () => {
  it('names every setting that changes bits', async () => {
    const numerics = await numericsHere(3);
    expect(numericsEnvironment({ ...numerics, oneDnn: false, instructionSet: 'AVX2' })).toMatchObject({
      TF_NUM_INTRAOP_THREADS: '3', TF_ENABLE_ONEDNN_OPTS: '0', ONEDNN_MAX_CPU_ISA: 'AVX2', TF_DETERMINISTIC_OPS: '1', CUDA_VISIBLE_DEVICES: '-1',
    });
    expect(numericsEnvironment({ ...numerics, device: 'gpu' })).toMatchObject({ TF_FORCE_GPU_ALLOW_GROWTH: 'true' });
    expect(numericsEnvironment({ ...numerics, device: 'gpu' })).not.toHaveProperty('CUDA_VISIBLE_DEVICES');
  });

  it('must be set before the engine loads', async () => {
    const numerics = await numericsHere(5);
    delete process.env['TF_NUM_INTRAOP_THREADS'];
    await expect(loadEngine(numerics)).rejects.toThrow(/TF_NUM_INTRAOP_THREADS is unset where the run's numerics need 5/);
  });

  it('reaches the library in a thread of the process when its main thread sets it', async () => {
    const [few, many] = [await threadsWith(1), await threadsWith(9)];
    expect(many - few).toBe(8);
  });
});

/** In a process of its own: the main thread sets the environment, then a worker thread loads the engine. */
async function threadsWith(intraOpThreads: number): Promise<number> {
  const numerics = await numericsHere(intraOpThreads);
  const module = new URL('./load-engine.ts', import.meta.url).href;
  const script = `
    const { Worker } = require('node:worker_threads');
    Object.assign(process.env, ${JSON.stringify(numericsEnvironment(numerics))});
    new Worker(${JSON.stringify(THREAD_COUNT)}, { eval: true, workerData: ${JSON.stringify({ module, numerics })} }).on('message', (count) => console.log(count));`;
  return Number(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
}

describe('capabilities', () => {
  it('tell the engine without loading it, and JavaScript only when it is asked for', async () => {
    const native = await detectCapabilities('cpu');
    expect(native).toMatchObject({ device: 'cpu', gpuKind: null, pid: process.pid });
    expect(native.engineBuild).toMatch(/^tensorflow \d+\.\d+\.\d+ cpu$/);
    expect((await detectCapabilities('javascript')).engineBuild).toMatch(/^tfjs \d+\.\d+\.\d+ javascript$/);
  });

  it('refuse a GPU that is not there', async () => {
    const visible = process.env['CUDA_VISIBLE_DEVICES'];
    process.env['CUDA_VISIBLE_DEVICES'] = '';
    await expect(detectCapabilities('gpu')).rejects.toMatchObject({ code: 'prerequisite' });
    if (visible === undefined) delete process.env['CUDA_VISIBLE_DEVICES'];
    else process.env['CUDA_VISIBLE_DEVICES'] = visible;
  });
});
