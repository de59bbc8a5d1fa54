import { describe, expect, it } from 'vitest';
import { readSpaceFlags } from './space-flags.ts';

describe('readSpaceFlags', () => {
  it('takes fields by the names of config files and of flags', () => {
    const { grid, mistakes } = readSpaceFlags(['optimizer.learningRate=1e-4,3e-4', '--global-batch-size=128, 256', 'model=mlp,cnn'], []);
    expect(mistakes).toEqual([]);
    expect(grid).toEqual([
      { field: 'optimizer.learningRate', texts: ['1e-4', '3e-4'] }, { field: 'globalBatchSize', texts: ['128', '256'] }, { field: 'model', texts: ['mlp', 'cnn'] },
    ]);
  });

  it('parts the values of a list field by semicolons', () => {
    expect(readSpaceFlags(['model.hidden=64,32;128'], []).grid).toEqual([{ field: 'model.hidden', texts: ['64,32', '128'] }]);
  });

  it('draws from ranges, of whole numbers for fields of those, and from lists', () => {
    const { random, mistakes } = readSpaceFlags([], ['optimizer.learningRate=log:1e-5..1e-1', 'model.dropout=0..0.5', 'globalBatchSize=16..64', 'optimizer=adam,sgd']);
    expect(mistakes).toEqual([]);
    expect(random).toEqual([
      { kind: 'log', field: 'optimizer.learningRate', low: 1e-5, high: 1e-1, isWhole: false },
      { kind: 'linear', field: 'model.dropout', low: 0, high: 0.5, isWhole: false },
      { kind: 'linear', field: 'globalBatchSize', low: 16, high: 64, isWhole: true },
      { kind: 'choice', field: 'optimizer', texts: ['adam', 'sgd'] },
    ]);
  });

  it.each([
    ['epochs', '--random: got "epochs", expected FIELD=VALUES'],
    ['optimizer.learningRat=1..2', 'optimizer.learningRat: unknown field, did you mean optimizer.learningRate? (from --random)'],
    ['model.dropout=0.5..0.1', 'model.dropout: got 0.5..0.1, expected LOW..HIGH, two numbers, the lower first (from --random)'],
    ['model.dropout=0..much', 'model.dropout: got 0..much, expected LOW..HIGH, two numbers, the lower first (from --random)'],
    ['model.dropout=log:0..1', 'model.dropout: got log:0..1, expected a range above 0: it has a logarithm (from --random)'],
    ['epochs=1..2.5', 'epochs: got 1..2.5, expected whole numbers (from --random)'],
    ['optimizer=1..2', 'optimizer: got 1..2, expected values by commas: it is no number (from --random)'],
    ['epochs=1,1', 'epochs: got 1,1, expected each value once (from --random)'],
    ['epochs=1,,2', 'epochs: got 1,,2, expected a value between the separators (from --random)'],
  ])('refuses %s', (text, mistake) => {
    expect(readSpaceFlags([], [text])).toEqual({ grid: [], random: [], mistakes: [mistake] });
  });

  it('says all mistakes, and which field was given twice', () => {
    expect(readSpaceFlags(['epochs=1', 'x=1'], ['epochs=1..2']).mistakes).toEqual([expect.stringContaining('x: unknown field'), 'epochs: got two lists or ranges, expected one']);
  });
});
