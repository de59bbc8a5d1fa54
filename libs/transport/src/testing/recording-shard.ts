import type { ArrivedPartial, PartialHeader, ShardPort } from '../exchange-port.ts';
import { Journal } from './journal.ts';

type PartialEvent = { readonly rank: number; readonly header: PartialHeader; readonly destination: Float32Array };
export type ShardEvent =
  | ({ readonly kind: 'reserved' | 'covered' | 'committed' | 'abandoned' } & PartialEvent)
  | { readonly kind: 'initial-reserved' | 'initial' | 'initial-abandoned'; readonly destination: Float32Array };

/** The consumer's end of an exchange: gives out memory and writes down what becomes of it. */
export class RecordingShard implements ShardPort {
  readonly length: number;
  readonly journal = new Journal<ShardEvent>();
  needsInitial = false;
  /** Which partials are of no use. */
  isCovered: (header: PartialHeader) => boolean = () => false;
  onInitial: (parameters: Float32Array) => void = () => undefined;

  constructor(length: number) {
    this.length = length;
  }

  get committed(): readonly PartialEvent[] {
    return this.journal.entries.filter((event) => event.kind === 'committed') as readonly PartialEvent[];
  }

  reserve(rank: number, header: PartialHeader): Float32Array | null {
    const destination = new Float32Array(this.length);
    const covered = this.isCovered(header);
    this.journal.add({ kind: covered ? 'covered' : 'reserved', rank, header, destination });
    return covered ? null : destination;
  }

  commit(rank: number, header: ArrivedPartial, destination: Float32Array): void {
    this.journal.add({ kind: 'committed', rank, header, destination });
  }

  abandon(rank: number, header: PartialHeader, destination: Float32Array): void {
    this.journal.add({ kind: 'abandoned', rank, header, destination });
  }

  reserveInitial(): Float32Array | null {
    const destination = new Float32Array(this.length);
    this.journal.add({ kind: 'initial-reserved', destination });
    return destination;
  }

  commitInitial(destination: Float32Array): void {
    this.needsInitial = false;
    this.journal.add({ kind: 'initial', destination });
    this.onInitial(destination);
  }

  abandonInitial(destination: Float32Array): void {
    this.journal.add({ kind: 'initial-abandoned', destination });
  }
}
