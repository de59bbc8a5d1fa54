/** Something that holds from a step on, until the next. In lists, by that step ascending. */
export interface FromStep {
  readonly fromStep: number;
}

/** The latest word counts: what was said of its first step and later ones does not hold any more. */
export const withNext = <T extends FromStep>(standing: readonly T[], next: T): T[] => [...standing.filter(({ fromStep }) => fromStep < next.fromStep), next];

/** Without what holds for steps before `step` alone; of what is to come all is kept, however far ahead it was given. */
export const withoutPast = <T extends FromStep>(standing: readonly T[], step: number): T[] =>
  standing.slice(Math.max(0, standing.findLastIndex(({ fromStep }) => fromStep <= step)));
