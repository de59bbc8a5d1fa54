import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { RunEvent } from '@lockstep/core';

interface Waiting {
  readonly matches: (event: RunEvent) => boolean;
  readonly resolve: (event: RunEvent) => void;
  readonly reject: (error: Error) => void;
}

/** The events that a container with `--json` prints, as they come. */
export class EventLog {
  readonly events: RunEvent[] = [];
  readonly #otherLines: string[] = [];
  #waiting: readonly Waiting[] = [];

  read(stream: Readable): void {
    createInterface({ input: stream }).on('line', (line) => this.#take(line)).on('close', () => this.#end());
  }

  /** The first event that matches, past or to come; rejects when the container ends without it. */
  event<Kind extends RunEvent['event']>(kind: Kind, where: (event: Extract<RunEvent, { event: Kind }>) => boolean = () => true): Promise<Extract<RunEvent, { event: Kind }>> {
    type Wanted = Extract<RunEvent, { event: Kind }>;
    const matches = (event: RunEvent): boolean => event.event === kind && where(event as Wanted);
    const past = this.events.find(matches);
    if (past !== undefined) return Promise.resolve(past as Wanted);
    return new Promise((resolve, reject) => {
      this.#waiting = [...this.#waiting, { matches, resolve: (event) => resolve(event as Wanted), reject }];
    });
  }

  #take(line: string): void {
    if (!line.startsWith('{')) {
      this.#otherLines.push(line);
      return;
    }
    const event = JSON.parse(line) as RunEvent;
    this.events.push(event);
    for (const { matches, resolve } of this.#waiting) if (matches(event)) resolve(event);
    this.#waiting = this.#waiting.filter(({ matches }) => !matches(event));
  }

  #end(): void {
    for (const { reject } of this.#waiting) reject(new Error(`the container ended before the awaited event:\n${this.#otherLines.join('\n')}`));
    this.#waiting = [];
  }
}
