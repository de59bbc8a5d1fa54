import { expect, it } from 'vitest';
import { Throughput } from './throughput.ts';

it('is the rate since the start for the first step, then that of the last second or so', () => {
  const throughput = new Throughput();
  expect(throughput.add(0.5, 100)).toBe(200);
  expect(throughput.add(1, 100)).toBe(200);
  expect(throughput.add(1.25, 100)).toBeCloseTo(200 / 0.75);
});

it('forgets what was slow before', () => {
  const throughput = new Throughput();
  let rate = 0;
  for (let step = 1; step <= 10; step += 1) rate = throughput.add(step, 100);
  expect(rate).toBeCloseTo(100);
  for (let step = 1; step <= 30; step += 1) rate = throughput.add(10 + step * 0.1, 100);
  expect(rate).toBeCloseTo(1000);
});

it('has a rate where steps take longer than the window', () => {
  const throughput = new Throughput();
  for (const [atSeconds, expected] of [[5, 20], [10, 20], [15, 20]] as const) expect(throughput.add(atSeconds, 100)).toBeCloseTo(expected);
});

it('is never infinite or not a number, even where no time has passed', () => {
  const throughput = new Throughput();
  expect(throughput.add(0, 100)).toBe(0);
  expect(Number.isFinite(throughput.add(0, 100))).toBe(true);
  expect(Number.isFinite(throughput.add(0.001, 100))).toBe(true);
});
