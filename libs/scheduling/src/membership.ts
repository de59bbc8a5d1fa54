import { assertNever, rankOf, type Capabilities, type Rank } from '@lockstep/core';

/** What the coordinator knows of one worker. */
export type Member = Joining | Active | Leaving | Lost | Left;
/** One that has a connection. */
export type PresentMember = Joining | Active | Leaving;

interface Seen {
  readonly rank: Rank;
  readonly capabilities: Capabilities;
  readonly lastHeardMs: number;
}
export interface Joining extends Seen { readonly kind: 'joining' }
/** It has built the model and takes part in steps. */
export interface Active extends Seen { readonly kind: 'active' }
/** It wants to end: it still computes the steps that it was assigned, but is assigned no further ones. */
export interface Leaving extends Seen { readonly kind: 'leaving' }
export interface Lost extends Seen { readonly kind: 'lost'; readonly reason: string; readonly sinceMs: number }
/** It ended in order. */
export interface Left extends Seen { readonly kind: 'left' }

/**
 * All members, sorted by rank, with gaps where an earlier coordinator's workers have not come back; changed only by the
 * functions below, which take the time as a parameter.
 */
export type Membership = readonly Member[];

export const memberOf = (membership: Membership, rank: Rank): Member | undefined => membership.find((member) => member.rank === rank);

/** Adds a worker. Its rank is above every known one and at least `firstRank`: those below were given by an earlier coordinator. */
export function withJoined(membership: Membership, capabilities: Capabilities, nowMs: number, firstRank = 0): { readonly membership: Membership; readonly rank: Rank } {
  const rank = rankOf(Math.max(firstRank, (membership.at(-1)?.rank ?? -1) + 1));
  return { membership: [...membership, { kind: 'joining', rank, capabilities, lastHeardMs: nowMs }], rank };
}

/** A worker that was a member before comes back by its rank, known here or not; it is active once it says that its model is ready. */
export function withRejoined(membership: Membership, rank: Rank, capabilities: Capabilities, nowMs: number): Membership {
  const others = membership.filter((member) => member.rank !== rank);
  return [...others, { kind: 'joining', rank, capabilities, lastHeardMs: nowMs } as const].sort((a, b) => a.rank - b.rank);
}

export function withHeard(membership: Membership, rank: Rank, nowMs: number): Membership {
  return withAllHeard(membership, new Map([[rank, nowMs]]));
}

/** Notes when each of these was heard last. */
export function withAllHeard(membership: Membership, heardMs: ReadonlyMap<Rank, number>): Membership {
  return membership.map((member) => {
    const lastHeardMs = heardMs.get(member.rank);
    return lastHeardMs !== undefined && isPresent(member) ? { ...member, lastHeardMs } : member;
  });
}

export function withActive(membership: Membership, rank: Rank): Membership {
  return changed(membership, rank, (member) => (member.kind === 'joining' ? { ...member, kind: 'active' } : member));
}

export function withLeaving(membership: Membership, rank: Rank): Membership {
  return changed(membership, rank, (member) => ({ ...member, kind: 'leaving' }));
}

export function withLeft(membership: Membership, rank: Rank): Membership {
  return changed(membership, rank, (member) => ({ ...member, kind: 'left' }));
}

export function withLost(membership: Membership, rank: Rank, reason: string, nowMs: number): Membership {
  return changed(membership, rank, (member) => ({ ...member, kind: 'lost', reason, sinceMs: nowMs }));
}

export const isPresent = (member: Member): member is PresentMember => member.kind !== 'lost' && member.kind !== 'left';

export const presentMembers = (membership: Membership): PresentMember[] => membership.filter(isPresent);

/** The workers that steps are assigned to. */
export const activeRanks = (membership: Membership): Rank[] => membership.filter(({ kind }) => kind === 'active').map(({ rank }) => rank);

/** Members that have said nothing for longer than the failure-detection time. */
export function silentMembers(membership: Membership, nowMs: number, failureDetectionMs: number): PresentMember[] {
  return presentMembers(membership).filter((member) => nowMs - member.lastHeardMs > failureDetectionMs);
}

export type StartDecision = { readonly kind: 'start'; readonly ranks: readonly Rank[] } | { readonly kind: 'wait'; readonly reason: string };

/** The first step starts when enough workers have built the model and none is still at it. */
export function decideStart(membership: Membership, minWorkers: number): StartDecision {
  const staying = presentMembers(membership).filter((member) => member.kind !== 'leaving');
  if (staying.length < minWorkers) return { kind: 'wait', reason: `${staying.length} of ${minWorkers} workers have joined` };
  const joining = staying.filter((member) => member.kind === 'joining');
  if (joining.length > 0) return { kind: 'wait', reason: `${joining.map(({ rank }) => `worker ${rank}`).join(', ')} build${joining.length === 1 ? 's' : ''} the model` };
  return { kind: 'start', ranks: staying.map(({ rank }) => rank) };
}

/** A member in words: `worker 3 (gpu-b, process 4711)`. */
export function describeMember(member: Member): string {
  const who = `worker ${member.rank} (${member.capabilities.hostname}, process ${member.capabilities.pid})`;
  switch (member.kind) {
    case 'joining':
    case 'active':
    case 'leaving': return who;
    case 'left': return `${who}: has left`;
    case 'lost': return `${who}: ${member.reason}`;
    default: return assertNever(member);
  }
}

/** A member that is gone stays as it was. */
function changed(membership: Membership, rank: Rank, change: (member: PresentMember) => Member): Membership {
  return membership.map((member) => (member.rank === rank && isPresent(member) ? change(member) : member));
}
