import type { Numerics } from '@lockstep/core';

/**
 * The environment variables that make TensorFlow compute with `numerics`. The library reads them when it loads, so
 * they must be set by then in the process itself (by whoever spawns it, or on `process.env` of its main thread).
 */
export function numericsEnvironment(numerics: Numerics): Readonly<Record<string, string>> {
  if (numerics.device === 'javascript') return {};
  return {
    TF_NUM_INTRAOP_THREADS: String(numerics.intraOpThreads),
    TF_NUM_INTEROP_THREADS: '1',
    TF_ENABLE_ONEDNN_OPTS: numerics.oneDnn ? '1' : '0',
    ONEDNN_MAX_CPU_ISA: numerics.instructionSet,
    TF_DETERMINISTIC_OPS: numerics.deterministicOps ? '1' : '0',
    TF_CPP_MIN_LOG_LEVEL: '3',
    ...(numerics.device === 'gpu' ? { TF_FORCE_GPU_ALLOW_GROWTH: 'true' } : { CUDA_VISIBLE_DEVICES: '-1' }),
  };
}
