import { expect, it } from 'vitest';
import { layOutParameters } from '../parameter-layout.ts';
import { layerRatesSchema, rateRanges } from './layer-rates.ts';

const layout = layOutParameters([
  { name: 'base/kernel', shape: [2, 3], kind: 'trainable' }, { name: 'base/bias', shape: [3], kind: 'trainable' },
  { name: 'head/kernel', shape: [4], kind: 'trainable' }, { name: 'base/moving_mean', shape: [3], kind: 'buffer' },
]);

it('says where in the flat vector the rate is another; the first pattern that fits counts', () => {
  expect(rateRanges(['base/bias=2', 'base/*=0.1', 'head/*=1'], layout)).toEqual([{ from: 0, to: 6, factor: 0.1 }, { from: 6, to: 9, factor: 2 }]);
  expect(rateRanges([], layout)).toEqual([]);
});

it('names a pattern that fits nothing that trains', () => {
  expect(() => rateRanges(['base/moving_mean=0.5'], layout)).toThrow('layerRates: base/moving_mean=0.5 fits no tensor that trains');
});

it.each(['base/*', '=1', 'base/*=', 'base/*=-1', 'base/*=fast'])('refuses %j', (text) => {
  expect(layerRatesSchema.safeParse([text]).success).toBe(false);
});

it.each(['a=b=0.5', 'model.layers.0.*=1e-2', '*=.5', 'x=0'])('takes %j', (text) => {
  expect(layerRatesSchema.parse([text])).toEqual([text]);
});
