import { describe, expect, it } from 'vitest';
import { parseBenchOptions } from './options.ts';

describe('parseBenchOptions', () => {
  it('measures every row three times by default', () => {
    expect(parseBenchOptions([])).toEqual({ groups: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'], repetitions: 3, quick: false, python: 'python3', jsonFile: null });
  });

  it('takes rows in any order and puts them in the table\'s', () => {
    expect(parseBenchOptions(['--rows', 'd,b']).groups).toEqual(['b', 'd']);
  });

  it('runs once when quick, unless told otherwise', () => {
    expect(parseBenchOptions(['--quick']).repetitions).toBe(1);
    expect(parseBenchOptions(['--quick', '--repetitions', '2']).repetitions).toBe(2);
  });

  it.each([
    [['--rows', 'a,x'], '--rows: got "x", expected some of a,b,c,d,e,f,g'],
    [['--repetitions', '0'], '--repetitions: got "0", expected a whole number from 1'],
    [['--repetitions', 'many'], '--repetitions: got "many"'],
    [['--fast'], "Unknown option '--fast'"],
  ])('refuses %j', (args, message) => {
    expect(() => parseBenchOptions(args)).toThrow(message);
  });
});
