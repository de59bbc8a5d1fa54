import { describe, expect, it } from 'vitest';
import { drawSchedule, type FaultKind, type Schedule } from './schedule.ts';
import { describeSchedule } from './describe-schedule.ts';

const options = { totalSteps: 1116, numFaults: 10, failureDetectionMs: 1000 };
const schedules = Array.from({ length: 300 }, (_, seed) => drawSchedule({ seed, ...options }));

describe('a schedule of faults', () => {
  it('is a function of its seed', () => {
    for (const schedule of schedules) expect(drawSchedule({ seed: schedule.seed, ...options })).toEqual(schedule);
    expect(new Set(schedules.map(describeSchedule)).size).toBe(schedules.length);
  });

  it('strikes in the order of the steps, and leaves the run time to recover', () => {
    for (const { faults } of schedules) {
      const steps = faults.map(({ atStep }) => atStep);
      expect(steps).toEqual(steps.toSorted((a, b) => a - b));
      expect(steps[0]).toBeGreaterThan(0);
      expect(steps.at(-1)).toBeLessThan(0.36 * options.totalSteps);
    }
  });

  it('strikes only processes that are there, and leaves one worker alone', () => {
    for (const schedule of schedules) {
      for (const { before, fault } of history(schedule)) {
        if (!('target' in fault) || fault.target === 'coordinator') continue;
        if (fault.kind === 'join') expect(before).not.toContain(fault.target);
        else expect(before).toContain(fault.target);
        if (fault.kind === 'kill' || fault.kind === 'leave') expect(before.filter((name) => name.startsWith('worker') && name !== fault.target)).not.toHaveLength(0);
      }
    }
  });

  it('strikes twice at once at most, and not the coordinator twice', () => {
    for (const { faults } of schedules) {
      faults.forEach(({ withPrevious, atStep, fault }, index) => {
        if (!withPrevious) return;
        const before = faults[index - 1];
        expect(before).toMatchObject({ atStep, withPrevious: false });
        expect([before?.fault, fault].filter((one) => one?.kind === 'restart-coordinator').length).toBeLessThan(2);
      });
    }
    expect(schedules.some(({ faults }) => faults.some(({ withPrevious }) => withPrevious))).toBe(true);
  });

  it('needs a network for faults of the network', () => {
    const ofNetwork: readonly FaultKind[] = ['partition', 'loss', 'slow-link'];
    for (const { shape, faults } of schedules) {
      if (shape.place === 'machine') expect(faults.filter(({ fault }) => ofNetwork.includes(fault.kind))).toEqual([]);
    }
  });

  it('has every kind of fault and every place of shards over some seeds', () => {
    const kinds = new Set(schedules.flatMap(({ faults }) => faults.map(({ fault }) => fault.kind)));
    expect(kinds.size).toBe(12);
    const hosts = new Set(schedules.map(({ shape }) => `${shape.shardHosts.join()} ${shape.replicas} ${shape.place}`));
    expect(hosts.size).toBe(6 * 2 * 2);
  });
});

/** Each fault with the processes that are there when it strikes. */
function* history({ shape, faults }: Schedule) {
  let alive = [...shape.workers, ...shape.servers];
  for (const { fault } of faults) {
    yield { before: alive, fault };
    if (fault.kind === 'join') alive = [...alive, fault.target];
    if (fault.kind === 'kill' || fault.kind === 'leave') alive = alive.filter((name) => name !== fault.target);
    if (fault.kind === 'restart-all' || fault.kind === 'bad-checkpoint') alive = [...fault.workers, ...fault.servers];
  }
}
