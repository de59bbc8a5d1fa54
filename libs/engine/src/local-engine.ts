import type { NumericsConfig } from '@lockstep/core';
import { chooseNumerics } from '@lockstep/scheduling';
import { detectCapabilities } from './capabilities.ts';
import type { Engine } from './engine.ts';
import { loadEngine } from './load-engine.ts';
import { numericsEnvironment } from './numerics-environment.ts';

/** The engine of a process that works alone: numerics of this machine. Sets this process's environment. */
export async function openLocalEngine(config: NumericsConfig): Promise<Engine> {
  const numerics = chooseNumerics(config, [await detectCapabilities(config.engine)]);
  Object.assign(process.env, numericsEnvironment(numerics));
  return loadEngine(numerics);
}
