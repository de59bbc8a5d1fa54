import { availableParallelism, cpus, totalmem } from 'node:os';
import { runSchema } from '@lockstep/core';
import { detectCapabilities } from '@lockstep/engine';

/** What the figures were measured on, in one line. */
export async function describeMachine(torch: string | null): Promise<string> {
  const { engineBuild, instructionSet } = await detectCapabilities(runSchema.parse({}).numerics.engine);
  const cores = `${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? 'an unknown CPU'} (${instructionSet})`;
  const software = [`Node ${process.versions.node}`, engineBuild, ...(torch === null ? [] : [`PyTorch ${torch}`])];
  return [cores, `${Math.round(totalmem() / 2 ** 30)} GiB`, ...software].join(', ');
}
