import { describe, expect, it } from 'vitest';
import type { BenchRow } from './bench-row.ts';
import { renderTable } from './table.ts';

const row = { group: 'a', name: 'CNN: ours against theirs', ours: '950 images/s', peer: '1,000, theirs', ratio: 0.95, range: { least: 0.9, greatest: 1 }, goal: null } satisfies BenchRow;

describe('renderTable', () => {
  it('says whether a ratio reaches its goal', () => {
    const table = renderTable([{ ...row, goal: 0.95 }, { ...row, goal: 1.15 }]);
    expect(table).toMatch(/0\.95 +0\.90–1\.00 +≥ 0\.95 met/);
    expect(table).toMatch(/≥ 1\.15 missed/);
  });

  it('has a dash and the reason where the peer was not measured', () => {
    const table = renderTable([{ ...row, peer: '–', ratio: null, range: null, goal: 1, note: 'skipped: not installed' }]);
    expect(table).toMatch(/950 images\/s +– +– +≥ 1\.00 +\[1\]/);
    expect(table).toContain('\n[1] skipped: not installed');
  });

  it('prints a note of several rows once', () => {
    const table = renderTable([{ ...row, note: 'one' }, { ...row, note: 'two' }, { ...row, note: 'one' }]);
    expect(table.split('\n').filter((line) => line.startsWith('['))).toEqual(['[1] one', '[2] two']);
  });

  it('aligns the columns', () => {
    const lines = renderTable([row, { ...row, name: 'short', ours: '1' }]).split('\n');
    expect(lines[2]!.indexOf('1,000')).toBe(lines[3]!.indexOf('1,000'));
    expect(lines[2]!.indexOf('0.95')).toBe(lines[3]!.indexOf('0.95'));
  });
});
