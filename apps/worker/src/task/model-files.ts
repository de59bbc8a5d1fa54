import { readInitialTensors, readSavedLayers } from '@lockstep/checkpoint';
import { isBackbone, layOutWholeModel, LockstepError, type RunConfig } from '@lockstep/core';
import type { TrainingModel } from '@lockstep/engine';
import type { BackboneSource } from '@lockstep/models';
import { resolveAsset } from '@lockstep/pretrained';

/**
 * What the model of a config is built from besides it, where it is a backbone.
 * @throws LockstepError `config` where the file of its weights cannot be read or is none.
 */
export async function backboneSource({ model, data }: RunConfig): Promise<BackboneSource | null> {
  if (!isBackbone(model)) return null;
  const { weights } = model;
  const saved = weights === null ? null : await whereVisible('model.weights', async () => readSavedLayers(await resolveAsset(weights)));
  return { pixelScale: data.scale === 'unit' ? 'unit' : 'none', saved };
}

/**
 * Gives a model, frozen tensors too, the values of the run that `initFrom` names; null leaves it as it is.
 * @throws LockstepError `config` where they cannot be read or do not fit.
 */
export async function initialise(model: TrainingModel, initFrom: string | null): Promise<void> {
  if (initFrom === null) return;
  const values = await whereVisible('initFrom', () => readInitialTensors(initFrom, layOutWholeModel(model.specs)));
  model.loadParameters(values.slice(0, model.layout.totalLength));
  model.loadFrozen(values.slice(model.layout.totalLength));
}

/** Adds to the error of a file that a worker lacks what to do about it. */
async function whereVisible<Read>(field: string, read: () => Promise<Read>): Promise<Read> {
  try {
    return await read();
  } catch (error) {
    const isMissing = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
    if (!isMissing || !(error instanceof LockstepError)) throw error;
    throw new LockstepError(error.code, `${field}: ${error.message}`, { cause: error, hint: 'every worker reads it by this path: put it there on each machine, or in a directory that all of them share' });
  }
}
