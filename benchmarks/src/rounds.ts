import { CONTESTANT_NAMES, measure, type ContestantName, type ContestantOptions } from './contestants/index.ts';
import type { Measurement } from './measurement.ts';
import { MODEL_NAMES, type Workload } from './workload.ts';

/** The measurements of each contestant, one a round: those of the same round make a pair. */
export type Rounds = ReadonlyMap<ContestantName, readonly Measurement[]>;

/** All contestants take turns, one run each a round, so that all see the same noise of the machine. */
export async function runRounds(names: readonly ContestantName[], workload: Workload, repetitions: number, options: ContestantOptions): Promise<Rounds> {
  const rounds = new Map(names.map((name) => [name, [] as Measurement[]]));
  for (let round = 1; round <= repetitions; round += 1) {
    for (const name of names) {
      const measurement = await measure(name, workload, options);
      rounds.get(name)?.push(measurement);
      const rate = Math.round(measurement.examplesPerSecond).toLocaleString('en');
      process.stderr.write(`${MODEL_NAMES[workload.model]}, round ${round} of ${repetitions}: ${CONTESTANT_NAMES[name]}: ${rate} images/s\n`);
    }
  }
  return rounds;
}
