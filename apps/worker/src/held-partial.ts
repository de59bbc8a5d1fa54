import type { PushedPartial } from '@lockstep/transport';

/** A partial of the current step: kept until the next, for a shard that may have to be sent it again. */
export interface HeldPartial {
  readonly header: PushedPartial;
  /** Its number among the partials of two steps. */
  readonly slot: number;
  /** The whole vector in the run's wire format, in the engine's memory. */
  readonly sum: Uint8Array;
}
