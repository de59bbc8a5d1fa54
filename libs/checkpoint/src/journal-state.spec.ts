import { describe, expect, it } from 'vitest';
import type { JournalEntry } from './journal-entries.ts';
import { replayJournal } from './journal-state.ts';

const epoch = (number: number, loss: number): JournalEntry & { kind: 'epoch' } =>
  ({ kind: 'epoch', epoch: number, version: 10 * (number + 1), loss, accuracy: 1, validation: null, elapsedSeconds: number, examplesPerSecond: 1, parametersSha256: '', best: null, stop: null });
const placement = (generation: number): JournalEntry & { kind: 'placement' } => ({ kind: 'placement', generation, number: generation, version: 0, shards: [{ host: 0, replica: null }] });
const rank = (number: number): JournalEntry & { kind: 'rank' } => ({ kind: 'rank', rank: number, hostname: 'a', pid: 1 });

describe('replayJournal', () => {
  it('comes to nothing without entries', () => {
    expect(replayJournal([])).toEqual({ run: null, model: null, nextRank: 0, nextHost: 0, ranks: [], hosts: [], placement: null, epochs: [], end: null });
  });

  it.each<[string, readonly JournalEntry[], object]>([
    ['no rank and no host number is given twice', [rank(0), rank(3), rank(1), { kind: 'host', host: 2, hostKind: 'server', hostname: 'a', pid: 1 }], { nextRank: 4, nextHost: 3 }],
    ['the newest placement holds', [placement(0), placement(1)], { placement: placement(1) }],
    ['a replayed epoch counts once', [epoch(0, 3), epoch(1, 2), epoch(0, 3.5)], { epochs: [epoch(0, 3.5), epoch(1, 2)] }],
    ['the end is known', [{ kind: 'end', version: 7, parametersSha256: 'x' }], { end: { kind: 'end', version: 7, parametersSha256: 'x' } }],
  ])('%s', (_, entries, state) => {
    expect(replayJournal(entries)).toMatchObject(state);
  });
});
