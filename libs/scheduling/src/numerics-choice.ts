import { INSTRUCTION_SETS, LockstepError, type Capabilities, type InstructionSet, type Numerics, type NumericsConfig } from '@lockstep/core';

/**
 * The numerics of a run: what every worker can provide, so that all of them give the same bits.
 * @throws LockstepError `numerics`, naming the workers that differ and in what.
 */
export function chooseNumerics(config: NumericsConfig, capabilities: readonly Capabilities[]): Numerics {
  const first = capabilities[0];
  if (first === undefined) throw new LockstepError('numerics', 'there is no worker to choose numerics for: at least 1 is needed');
  const numerics: Numerics = {
    engineBuild: first.engineBuild,
    device: first.device,
    gpuKind: first.gpuKind,
    intraOpThreads: config.intraOpThreads,
    oneDnn: config.oneDnn,
    instructionSet: config.instructionSet === 'auto' ? weakestInstructionSet(capabilities) : config.instructionSet,
    deterministicOps: config.deterministicOps,
  };
  if (config.engine !== 'auto' && config.engine !== first.device) {
    throw new LockstepError('numerics', `numerics.engine is '${config.engine}', but ${workerOf(first)} computes with '${first.device}'`);
  }
  const refusals = capabilities.flatMap((worker) => refusalOf(numerics, worker) ?? []);
  if (refusals.length > 0) {
    throw new LockstepError('numerics', `the workers cannot give the same bits: ${refusals.join('; ')} (the run's choice follows ${workerOf(first)})`, {
      hint: 'Start workers with the same engine and device, or set numerics.instructionSet to what all of them have.',
    });
  }
  return numerics;
}

/** Why a worker cannot provide `numerics`, or null when it can. */
export function refusalOf(numerics: Numerics, capabilities: Capabilities): string | null {
  const differences = (['engineBuild', 'device', 'gpuKind'] as const)
    .filter((field) => capabilities[field] !== numerics[field])
    .map((field) => `${field} '${capabilities[field] ?? 'none'}' where the run has '${numerics[field] ?? 'none'}'`);
  if (strength(capabilities.instructionSet) < strength(numerics.instructionSet)) {
    differences.push(`at most instruction set ${capabilities.instructionSet} where the run has ${numerics.instructionSet}`);
  }
  return differences.length === 0 ? null : `${workerOf(capabilities)} has ${differences.join(', ')}`;
}

function weakestInstructionSet(capabilities: readonly Capabilities[]): InstructionSet {
  const weakest = Math.min(...capabilities.map((worker) => strength(worker.instructionSet)));
  return INSTRUCTION_SETS[weakest] ?? 'SSE41';
}

function strength(instructionSet: InstructionSet): number {
  return INSTRUCTION_SETS.indexOf(instructionSet);
}

function workerOf(capabilities: Capabilities): string {
  return `worker ${capabilities.hostname} (pid ${capabilities.pid})`;
}
