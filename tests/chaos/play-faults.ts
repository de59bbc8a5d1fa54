import { setTimeout as delay } from 'node:timers/promises';
import { describeFault } from './describe-schedule.ts';
import { labelOf } from './fault-label.ts';
import type { Fault, Schedule } from './schedule.ts';
import { within } from './stall-watch.ts';
import { strike, type Field } from './strike.ts';

/** Steps that may have finished before a fault without having been told of: reports come in batches. */
const STEPS_UNDER_WAY = 8;
/** By then all is read that a coordinator had said before it was killed or stopped. */
const LAST_WORDS_MS = 100;
/** In detection times: how long after a fault a process may still be on its way back. */
const SETTLING = 3;

export interface StruckFault {
  /** Its kind, with what of the cluster decides on its cost. */
  readonly label: string;
  /** Until a step that was not under way when it struck was told of; where a process is kept away, from when it may start again. */
  readonly recoveryMs: number;
  readonly stepsLost: number;
  /** It struck a single process. */
  readonly isOfOne: boolean;
  /** Steps were lost though every shard had a replica in step, or the coordinator alone was gone. */
  readonly isBreach: boolean;
}

export interface Played {
  /** What the run's log must hold. */
  readonly mustBeNamed: readonly string[];
  /** Processes that a fault was upon until just now. */
  unsettled(): ReadonlySet<string>;
}

/** Strikes as the schedule says, until the run's end; `struck` gets each fault that the run has recovered from. */
export async function playFaults(schedule: Schedule, field: Field, failureDetectionMs: number, struck: StruckFault[]): Promise<Played> {
  const { progress, signal, cluster } = field;
  const mustBeNamed: string[] = [];
  const overMs = new Map<string, number>();
  const underWay: Promise<void>[] = [];
  const lifted: Promise<void>[] = [];
  /** By host: a link has one rate at a time. */
  const links = new Map<string, Promise<void>>();

  const play = async (fault: Fault, isAlone: boolean): Promise<void> => {
    if (fault.kind === 'slow-link') await links.get(fault.target);
    const [struckMs, lost] = [performance.now(), progress.stepsLost];
    const isOnly = isAlone && [...overMs.values()].every((ms) => ms < struckMs);
    const isGuarded = isOnly && progress.replicasInStep;
    const mayLoseNone = (isGuarded && isOfOne(fault)) || (isOnly && fault.kind === 'restart-coordinator' && progress.shardsAreElsewhere);
    const target = targetOf(fault);
    overMs.set(target, Infinity);
    progress.note(describeFault(fault));
    const { over, named } = await strike(fault, field);
    if (named !== null) mustBeNamed.push(named);
    const isOver = over.then(() => {
      progress.note(`that is over: ${describeFault(fault)}`);
      overMs.set(target, performance.now());
    });
    isOver.catch(() => undefined);
    lifted.push(isOver);
    if (fault.kind === 'slow-link') links.set(fault.target, isOver);
    if (silencesCoordinator(fault)) await delay(LAST_WORDS_MS);
    const step = progress.highestStep;
    const recoveredMs = await progress.reached(step + STEPS_UNDER_WAY + 1, signal);
    if (!isLasting(fault)) await within(over, signal);
    const stepsLost = progress.stepsLost - lost;
    struck.push({ label: labelOf(fault, { shape: schedule.shape, isGuarded }), recoveryMs: recoveredMs - struckMs - (fault.kind === 'restart-coordinator' ? fault.downMs : 0), stepsLost, isOfOne: isOfOne(fault), isBreach: mayLoseNone && stepsLost > 0 });
  };

  for (const [index, { atStep, withPrevious, fault }] of schedule.faults.entries()) {
    if (!withPrevious) {
      await Promise.all(underWay);
      await progress.reached(atStep, signal);
    }
    if (progress.ended) break;
    const playing = play(fault, !withPrevious && schedule.faults[index + 1]?.withPrevious !== true);
    // Whoever waits for it next hears of its failure; where an earlier one has failed nobody does.
    playing.catch(() => undefined);
    underWay.push(playing);
  }
  await Promise.all(underWay);
  await progress.first((event) => event.event === 'end', signal);
  const endMs = performance.now();
  await within(Promise.all(lifted), signal);
  const settledMs = endMs - SETTLING * failureDetectionMs;
  const unsettled = () => new Set([...cluster.members.keys()].filter((name) => (overMs.get(name) ?? 0) > settledMs || (overMs.get('coordinator') ?? 0) > settledMs));
  return { mustBeNamed, unsettled };
}

/** Those that are upon everything are upon the coordinator. */
const targetOf = (fault: Fault): string => ('target' in fault ? fault.target : 'coordinator');

const silencesCoordinator = (fault: Fault): boolean => fault.kind.startsWith('restart') || fault.kind === 'bad-checkpoint' || (fault.kind === 'pause' && fault.target === 'coordinator');

/** Whether it strikes a single process. */
const isOfOne = ({ kind }: Fault): boolean => kind !== 'restart-all' && kind !== 'bad-checkpoint';

/** Whether others may strike while it lasts. */
const isLasting = ({ kind }: Fault): boolean => kind === 'pause' || kind === 'slow' || kind === 'partition' || kind === 'loss' || kind === 'slow-link' || kind === 'leave';
