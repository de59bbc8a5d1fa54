import type { NumericsConfig } from '@lockstep/core';
import { detectCapabilities, loadEngine, type Engine } from '@lockstep/engine';
import { chooseNumerics } from '@lockstep/scheduling';
import { inEngineProcess } from './engine-process.ts';

/**
 * Gives `use` the engine of this machine, in a process of its own where it needs one.
 * @throws LockstepError `prerequisite` without the engine.
 */
export async function useEngine(config: NumericsConfig, use: (engine: Engine) => Promise<void>): Promise<void> {
  const numerics = chooseNumerics({ ...config, instructionSet: 'auto' }, [await detectCapabilities(config.engine)]);
  await inEngineProcess(numerics, async () => use(await loadEngine(numerics)));
}
