import type { AnnouncementPort, ArrivedPartial, PartialHeader, PartialIntake, ShardPort } from '../exchange-port.ts';
import { Journal } from './journal.ts';

type PartialEvent = { readonly rank: number; readonly header: PartialHeader; readonly destination: Uint8Array };
export type ShardEvent =
  | ({ readonly kind: 'reserved' | 'covered' | 'committed' | 'abandoned' } & PartialEvent)
  | { readonly kind: 'initial-reserved' | 'initial' | 'initial-abandoned'; readonly destination: Uint8Array };

/** The consumer's end of an exchange: gives out memory and writes down what becomes of it. */
export class RecordingShard implements ShardPort {
  readonly length: number;
  readonly journal = new Journal<ShardEvent>();
  announcements: AnnouncementPort | null = null;
  needsInitial = false;
  /** Which partials are of no use. */
  isCovered: (header: PartialHeader) => boolean = () => false;
  onInitial: (parameters: Uint8Array) => void = () => undefined;

  constructor(length: number) {
    this.length = length;
  }

  get committed(): readonly PartialEvent[] {
    return this.journal.entries.filter((event) => event.kind === 'committed') as readonly PartialEvent[];
  }

  partialBytes(): number {
    return this.length * 4;
  }

  receive(rank: number, header: ArrivedPartial): PartialIntake | null {
    const destination = new Uint8Array(this.partialBytes());
    const covered = this.isCovered(header);
    this.journal.add({ kind: covered ? 'covered' : 'reserved', rank, header, destination });
    if (covered) return null;
    let received = 0;
    return {
      take: (count, read) => {
        if (!read(received, destination.subarray(received, received + count))) return false;
        received += count;
        if (received === destination.length) this.journal.add({ kind: 'committed', rank, header, destination });
        return true;
      },
      abandon: () => this.journal.add({ kind: 'abandoned', rank, header, destination }),
    };
  }

  reserveInitial(): Uint8Array | null {
    const destination = new Uint8Array(this.length * 4);
    this.journal.add({ kind: 'initial-reserved', destination });
    return destination;
  }

  commitInitial(destination: Uint8Array): void {
    this.needsInitial = false;
    this.journal.add({ kind: 'initial', destination });
    this.onInitial(destination);
  }

  abandonInitial(destination: Uint8Array): void {
    this.journal.add({ kind: 'initial-abandoned', destination });
  }
}
