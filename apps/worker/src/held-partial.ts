import type { WireConfig } from '@lockstep/core';
import type { TreeNode } from '@lockstep/reduction';
import type { PushedPartial } from '@lockstep/transport';

/** A partial of the current step: kept until the next, for a shard that may have to be sent it again. */
export interface HeldPartial {
  readonly header: PushedPartial;
  /** Its number among the partials of two steps. */
  readonly slot: number;
  /** As it travels, by `wire`; of the whole vector, in the engine's memory, or what a relay has added up of a shard's range. */
  readonly sum: Uint8Array;
  readonly wire: WireConfig;
}

/** More partials than there are in a step; the slots of a partial's frame are twice as many. */
export const PARTIALS_A_STEP = 32_768;

/** What is being computed now and will be pushed. */
export interface AnnouncedNodes {
  readonly step: number;
  readonly nodes: readonly TreeNode[];
}
