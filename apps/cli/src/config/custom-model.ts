import { importModelFunction, type ConfigBundle } from '@lockstep/core';
import type { BuildModel } from './definition.ts';

export { importBundle, type ConfigBundle as CustomModelBundle } from '@lockstep/core';

/** The function that builds a run's custom model, from the bundle of its config file; errors as `importModelFunction`. */
export async function importCustomModel(bundle: ConfigBundle): Promise<BuildModel> {
  return (await importModelFunction(bundle)) as BuildModel;
}
