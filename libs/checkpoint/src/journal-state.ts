import { assertNever } from '@lockstep/core';
import type { EntryOf, JournalEntry } from './journal-entries.ts';

/** What the entries of a journal come to. */
export interface JournalState {
  readonly run: EntryOf<'run'> | null;
  readonly model: EntryOf<'model'> | null;
  /** The rank that the next worker gets. */
  readonly nextRank: number;
  /** The number that the next shard host gets. */
  readonly nextHost: number;
  /** Those given so far, in the order in which they were given. */
  readonly ranks: readonly EntryOf<'rank'>[];
  readonly hosts: readonly EntryOf<'host'>[];
  /** The newest. */
  readonly placement: EntryOf<'placement'> | null;
  /** One an epoch, in order: of an epoch that was replayed the last. */
  readonly epochs: readonly EntryOf<'epoch'>[];
  readonly end: EntryOf<'end'> | null;
}

const NOTHING: JournalState = {
  run: null, model: null, nextRank: 0, nextHost: 0, ranks: [], hosts: [], placement: null, epochs: [], end: null,
};

export const replayJournal = (entries: readonly JournalEntry[]): JournalState => entries.reduce(withEntry, NOTHING);

function withEntry(state: JournalState, entry: JournalEntry): JournalState {
  switch (entry.kind) {
    case 'run': return { ...state, run: entry };
    case 'model': return { ...state, model: entry };
    case 'rank': return { ...state, ranks: [...state.ranks, entry], nextRank: Math.max(state.nextRank, entry.rank + 1) };
    case 'host': return { ...state, hosts: [...state.hosts, entry], nextHost: Math.max(state.nextHost, entry.host + 1) };
    case 'placement': return { ...state, placement: entry };
    case 'epoch': return { ...state, epochs: [...state.epochs.filter(({ epoch }) => epoch !== entry.epoch), entry].toSorted((a, b) => a.epoch - b.epoch) };
    case 'end': return { ...state, end: entry };
    default: return assertNever(entry);
  }
}
