import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { RunEvent } from '@lockstep/core';

type Where<Kind> = (event: Extract<RunEvent, { event: Kind }>) => boolean;

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
  event<Kind extends RunEvent['event']>(kind: Kind, where: Where<Kind> = () => true): Promise<Extract<RunEvent, { event: Kind }>> {
    const past = this.events.find((event): event is Extract<RunEvent, { event: Kind }> => event.event === kind && where(event as never));
    return past === undefined ? this.next(kind, where) : Promise.resolve(past);
  }

  /** The first event to come that matches; rejects when the container ends without it. */
  next<Kind extends RunEvent['event']>(kind: Kind, where: Where<Kind> = () => true): Promise<Extract<RunEvent, { event: Kind }>> {
    const { promise, resolve, reject } = Promise.withResolvers<RunEvent>();
    this.#waiting = [...this.#waiting, { matches: (event) => event.event === kind && where(event as never), resolve, reject }];
    return promise as Promise<Extract<RunEvent, { event: Kind }>>;
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
