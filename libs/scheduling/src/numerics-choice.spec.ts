import { numericsSchema, type Capabilities, type NumericsConfig } from '@lockstep/core';
import { describe, expect, it } from 'vitest';
import { chooseNumerics, refusalOf } from './numerics-choice.ts';

const config = (options: Partial<NumericsConfig> = {}): NumericsConfig => ({ ...numericsSchema.parse({}), ...options });
const worker = (changes: Partial<Capabilities> = {}): Capabilities => ({
  engineBuild: 'tensorflow 2.21.0 cpu', device: 'cpu', gpuKind: null, instructionSet: 'AVX512_CORE', hostname: 'a', pid: 1, ...changes,
});

describe('numerics of a run', () => {
  it('are what all workers can do: the weakest of their instruction sets', () => {
    const numerics = chooseNumerics(config(), [worker(), worker({ instructionSet: 'AVX2', pid: 2 }), worker({ pid: 3 })]);
    expect(numerics).toEqual({
      engineBuild: 'tensorflow 2.21.0 cpu', device: 'cpu', gpuKind: null, intraOpThreads: 1, oneDnn: true, instructionSet: 'AVX2', deterministicOps: true,
    });
  });

  it('take an instruction set that is asked for, where every worker has it', () => {
    expect(chooseNumerics(config({ instructionSet: 'AVX' }), [worker()]).instructionSet).toBe('AVX');
    expect(() => chooseNumerics(config({ instructionSet: 'AVX512_CORE' }), [worker(), worker({ hostname: 'b', pid: 7, instructionSet: 'AVX2' })]))
      .toThrow(/worker b \(pid 7\) has at most instruction set AVX2 where the run has AVX512_CORE/);
  });

  it.each([
    ['another engine', { engineBuild: 'tensorflow 2.9.1 cpu' }, /engineBuild 'tensorflow 2.9.1 cpu' where the run has 'tensorflow 2.21.0 cpu'/],
    ['another device', { device: 'gpu', gpuKind: 'H100' }, /device 'gpu' where the run has 'cpu', gpuKind 'H100' where the run has 'none'/],
  ] as const)('do not exist for workers with %s, and the worker and the difference are named', (_, changes, message) => {
    const workers = [worker(), worker({ hostname: 'b', pid: 7, ...changes })];
    expect(() => chooseNumerics(config(), workers)).toThrow(message);
    expect(() => chooseNumerics(config(), workers)).toThrow(/worker b \(pid 7\)/);
  });

  it('need the engine that the config asks for', () => {
    expect(() => chooseNumerics(config({ engine: 'gpu' }), [worker()])).toThrow(/numerics.engine is 'gpu', but worker a \(pid 1\) computes with 'cpu'/);
    expect(() => chooseNumerics(config(), [])).toThrow(/at least 1/);
  });
});

describe('a worker that joins later', () => {
  const numerics = chooseNumerics(config(), [worker({ instructionSet: 'AVX2' })]);

  it('is taken when it can do as much or more', () => {
    expect(refusalOf(numerics, worker({ instructionSet: 'AVX2' }))).toBeNull();
    expect(refusalOf(numerics, worker({ instructionSet: 'AVX512_CORE' }))).toBeNull();
  });

  it('is refused with the reason when it cannot', () => {
    expect(refusalOf(numerics, worker({ instructionSet: 'AVX' }))).toBe('worker a (pid 1) has at most instruction set AVX where the run has AVX2');
    expect(refusalOf(numerics, worker({ gpuKind: 'H100', device: 'gpu', engineBuild: 'tensorflow 2.21.0 gpu' }))).toContain("device 'gpu'");
  });
});
