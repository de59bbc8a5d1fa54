import { assertNever, rankOf, type Capabilities, type Rank } from '@lockstep/core';

/** What the coordinator knows of one worker. */
export type Member = Joining | Active | Lost;

interface Seen {
  readonly rank: Rank;
  readonly capabilities: Capabilities;
  readonly lastHeardMs: number;
}
export interface Joining extends Seen { readonly kind: 'joining' }
/** It has built the model and takes part in steps. */
export interface Active extends Seen { readonly kind: 'active' }
export interface Lost extends Seen { readonly kind: 'lost'; readonly reason: string }

/** All members in rank order; changed only by the functions below, which take the time as a parameter. */
export type Membership = readonly Member[];

/** Adds a worker; ranks are given in order of joining and never twice. */
export function withJoined(membership: Membership, capabilities: Capabilities, nowMs: number): { readonly membership: Membership; readonly rank: Rank } {
  const rank = rankOf(membership.length);
  return { membership: [...membership, { kind: 'joining', rank, capabilities, lastHeardMs: nowMs }], rank };
}

export function withHeard(membership: Membership, rank: Rank, nowMs: number): Membership {
  return membership.map((member) => (member.rank === rank ? { ...member, lastHeardMs: nowMs } : member));
}

export function withActive(membership: Membership, rank: Rank): Membership {
  return membership.map((member) => (member.rank === rank && member.kind === 'joining' ? { ...member, kind: 'active' } : member));
}

export function withLost(membership: Membership, rank: Rank, reason: string): Membership {
  return membership.map((member) => (member.rank === rank && member.kind !== 'lost' ? { ...member, kind: 'lost', reason } : member));
}

/** Members that have said nothing for longer than the failure-detection time. */
export function silentMembers(membership: Membership, nowMs: number, failureDetectionMs: number): (Joining | Active)[] {
  return membership.filter((member) => member.kind !== 'lost' && nowMs - member.lastHeardMs > failureDetectionMs) as (Joining | Active)[];
}

export type StartDecision = { readonly kind: 'start'; readonly ranks: readonly Rank[] } | { readonly kind: 'wait'; readonly reason: string };

/** The first step starts when enough workers have built the model and none is still at it. */
export function decideStart(membership: Membership, minWorkers: number): StartDecision {
  const present = membership.filter((member) => member.kind !== 'lost');
  if (present.length < minWorkers) return { kind: 'wait', reason: `${present.length} of ${minWorkers} workers have joined` };
  const joining = present.filter((member) => member.kind === 'joining');
  if (joining.length > 0) return { kind: 'wait', reason: `${joining.map(({ rank }) => `worker ${rank}`).join(', ')} build${joining.length === 1 ? 's' : ''} the model` };
  return { kind: 'start', ranks: present.map(({ rank }) => rank) };
}

/** A member in words: `worker 3 (gpu-b, process 4711)`. */
export function describeMember(member: Member): string {
  const who = `worker ${member.rank} (${member.capabilities.hostname}, process ${member.capabilities.pid})`;
  switch (member.kind) {
    case 'joining':
    case 'active': return who;
    case 'lost': return `${who}: ${member.reason}`;
    default: return assertNever(member);
  }
}
