import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import { LockstepError, type Capabilities, type InstructionSet, type NumericsConfig } from '@lockstep/core';
import { installedEngine } from './installed-engine.ts';
import { visibleGpus } from './visible-gpus.ts';

/**
 * What this machine can compute with. Reads files and NVIDIA's list of GPUs, does not load the native library.
 * JavaScript is only ever an explicit choice.
 * @throws LockstepError `prerequisite` when the chosen engine is not set up or its GPU not there.
 */
export async function detectCapabilities(choice: NumericsConfig['engine']): Promise<Capabilities> {
  const machine = { instructionSet: strongestInstructionSet(), hostname: hostname(), pid: process.pid };
  if (choice === 'javascript') return { ...machine, engineBuild: `tfjs ${tfjsVersion()} javascript`, device: 'javascript', gpuKind: null };
  const engine = installedEngine();
  const gpuKind = choice === 'cpu' || !engine.cuda ? null : (visibleGpus()[0] ?? null);
  if (choice === 'gpu' && gpuKind === null) throw noGpu(engine.cuda);
  const device = gpuKind === null ? 'cpu' : 'gpu';
  return { ...machine, engineBuild: `tensorflow ${engine.tensorflowVersion} ${device}`, device, gpuKind };
}

function noGpu(cuda: boolean): LockstepError {
  return cuda
    ? new LockstepError('prerequisite', "numerics.engine is 'gpu', but no NVIDIA GPU is visible", { hint: 'Check `nvidia-smi` and CUDA_VISIBLE_DEVICES.' })
    : new LockstepError('prerequisite', "numerics.engine is 'gpu', but the engine that is set up has no CUDA", { hint: 'Run `npm run setup` on a machine with an NVIDIA GPU.' });
}

/** The groups that oneDNN asks for, strongest first. */
const REQUIRED_FLAGS: readonly (readonly [InstructionSet, readonly string[]])[] = [
  ['AVX512_CORE', ['avx512f', 'avx512bw', 'avx512vl', 'avx512dq']],
  ['AVX2', ['avx2']],
  ['AVX', ['avx']],
];

function strongestInstructionSet(): InstructionSet {
  const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.trim().split(' '));
  return REQUIRED_FLAGS.find(([, required]) => required.every((flag) => flags.has(flag)))?.[0] ?? 'SSE41';
}

function tfjsVersion(): string {
  const { version } = createRequire(import.meta.url)('@tensorflow/tfjs/package.json') as { version: string };
  return version;
}
