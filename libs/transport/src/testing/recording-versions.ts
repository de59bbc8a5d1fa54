import { bytesOf } from '@lockstep/core';
import type { VersionPort } from '../exchange-port.ts';
import { Journal } from './journal.ts';

export interface VersionRecord {
  readonly kind: 'committed' | 'abandoned';
  readonly version: number;
  readonly parameters: Float32Array;
}

/** A worker's end of an exchange: takes every version and writes down what becomes of it. */
export class RecordingVersions implements VersionPort {
  readonly journal = new Journal<VersionRecord>();
  readonly reservations = new Journal<number>();
  readonly bytes: number;
  readonly #arriving = new Map<number, Float32Array>();

  constructor(length: number) {
    this.bytes = length * 4;
  }

  get reserved(): readonly number[] {
    return this.reservations.entries;
  }

  reserve(version: number): Uint8Array | null {
    const parameters = new Float32Array(this.bytes / 4);
    this.reservations.add(version);
    this.#arriving.set(version, parameters);
    return bytesOf(parameters);
  }

  commit(version: number): void {
    this.#settle('committed', version);
  }

  abandon(version: number): void {
    this.#settle('abandoned', version);
  }

  /** Resolves with the parameters of this version. */
  async version(version: number): Promise<Float32Array> {
    const matches = (record: VersionRecord): boolean => record.kind === 'committed' && record.version === version;
    const records = await this.journal.until((all) => all.some(matches));
    return records.find(matches)!.parameters;
  }

  #settle(kind: VersionRecord['kind'], version: number): void {
    this.journal.add({ kind, version, parameters: this.#arriving.get(version)! });
  }
}
