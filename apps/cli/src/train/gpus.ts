import type { NumericsConfig } from '@lockstep/core';
import { detectCapabilities, visibleGpus } from '@lockstep/engine';

/** The GPUs that workers of this machine will use, as `CUDA_VISIBLE_DEVICES` names them; none where they compute on CPUs. */
export async function usableGpus(engine: NumericsConfig['engine']): Promise<readonly string[]> {
  const { device } = await detectCapabilities(engine);
  if (device !== 'gpu') return [];
  return process.env['CUDA_VISIBLE_DEVICES']?.split(',') ?? visibleGpus().map((_, index) => String(index));
}
