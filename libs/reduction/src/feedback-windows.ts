import type { CompressedWire, RoundedWire, WireConfig } from '@lockstep/core';

/**
 * When compressed gradients hold something back. What a group held back at a step belongs to its gradient at the next, and nobody but
 * the worker that computed it has it. So steps lie in windows: the last step of each travels whole, and the next window
 * begins with nothing held back, anywhere. A window begins at each multiple of `denseEvery` and with each epoch. Rounded
 * gradients hold nothing back: every step is a window of its own.
 */

/** A run's `wire`, and how many steps its epochs have. */
export interface WirePlan {
  readonly wire: WireConfig;
  readonly stepsPerEpoch: number;
}

export const isCompressed = (wire: WireConfig): wire is CompressedWire => typeof wire !== 'string';

/** What sums are rounded to where they are added: those of compressed gradients to nothing less. */
export const roundingOf = (wire: WireConfig): RoundedWire => (isCompressed(wire) ? 'float32' : wire);

/** Whether nothing is held back as the step begins: any worker can compute any part of it, and the run can go on from there. */
export function beginsWindow({ wire, stepsPerEpoch }: WirePlan, step: number): boolean {
  return !isCompressed(wire) || step % wire.denseEvery === 0 || step % stepsPerEpoch === 0;
}

/** The first step from this one on with which a window begins. */
export function nextWindow(plan: WirePlan, step: number): number {
  const { wire, stepsPerEpoch } = plan;
  if (!isCompressed(wire) || beginsWindow(plan, step)) return step;
  const nextMultiple = (of: number): number => Math.ceil(step / of) * of;
  return Math.min(nextMultiple(wire.denseEvery), nextMultiple(stepsPerEpoch));
}

/** How the partials of a step travel: the last of a window goes whole. */
export function wireOfStep(plan: WirePlan, step: number): WireConfig {
  return isCompressed(plan.wire) && beginsWindow(plan, step + 1) ? 'float32' : plan.wire;
}

/** Groups where `groups` does not say. */
const DEFAULT_GROUPS = 8;

/** How many parts of the global batch are compressed each by itself. */
export function groupsOf({ groups }: CompressedWire, microBatches: number): number {
  return groups ?? Math.min(DEFAULT_GROUPS, microBatches);
}

/** The level of the tree nodes that are the groups: 0 where each is a micro-batch. */
export function groupLevel(wire: CompressedWire, microBatches: number): number {
  return Math.log2(microBatches / groupsOf(wire, microBatches));
}
