import { setTimeout as delay } from 'node:timers/promises';

export interface DutyCycle {
  readonly durationMs: number;
  readonly runMs: number;
  readonly stopMs: number;
}

/** Stops and continues a process in turn, so that it runs a part of the time; it runs when this ends. */
export async function dutyCycle(signal: (name: 'SIGSTOP' | 'SIGCONT') => void, { durationMs, runMs, stopMs }: DutyCycle): Promise<void> {
  const untilMs = performance.now() + durationMs;
  while (performance.now() < untilMs) {
    signal('SIGSTOP');
    await delay(stopMs);
    signal('SIGCONT');
    await delay(runMs);
  }
}
