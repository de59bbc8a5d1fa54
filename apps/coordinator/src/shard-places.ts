import type { ShardRange } from '@lockstep/parameter-server';
import type { ShardPlacement } from '@lockstep/scheduling';
import type { HostedShardMessage, ShardEndpoint__Output } from '@lockstep/transport';

/** One shard: who holds it, and where it is reached. An endpoint is null while its host is not there. */
interface Place {
  readonly range: ShardRange;
  primary: number;
  endpoint: ShardEndpoint__Output | null;
  replica: number | null;
  replicaEndpoint: ShardEndpoint__Output | null;
  /** The replica that the primary keeps, by its TCP address, or ''. */
  kept: string;
  /** Every version that workers have seen is on the kept replica too. */
  isInSync: boolean;
}

type Addresses = Pick<HostedShardMessage, 'unixAddress' | 'tcpAddress'>;

/** Where the shards of one generation are, in range order. */
export class ShardPlaces {
  readonly #places: readonly Place[];

  constructor(ranges: readonly ShardRange[], placements: readonly ShardPlacement[]) {
    this.#places = ranges.map((range, shard) => ({
      range, primary: placements[shard]?.primary ?? -1, endpoint: null, replica: placements[shard]?.replica ?? null, replicaEndpoint: null, kept: '', isInSync: false,
    }));
  }

  get placements(): readonly ShardPlacement[] {
    return this.#places.map(({ primary, replica }) => ({ primary, replica }));
  }

  /** The same, of replicas those alone that could take over. */
  get safePlacements(): readonly ShardPlacement[] {
    return this.#places.map(({ primary, replica, isInSync }) => ({ primary, replica: isInSync ? replica : null }));
  }

  get ranges(): readonly ShardRange[] {
    return this.#places.map(({ range }) => range);
  }

  /** Of the primaries, in range order; those that are not there are left out. */
  get endpoints(): readonly ShardEndpoint__Output[] {
    return this.#places.flatMap(({ endpoint }) => endpoint ?? []);
  }

  /** Whether every primary is there, and of these shards the replica instead. */
  isWholeWith(replicasOf: readonly number[]): boolean {
    return this.#places.every(({ endpoint, replicaEndpoint }, shard) => (replicasOf.includes(shard) ? replicaEndpoint : endpoint) !== null);
  }

  range(shard: number): ShardRange {
    return this.#of(shard).range;
  }

  primary(shard: number): number {
    return this.#of(shard).primary;
  }

  replicaEndpoint(shard: number): ShardEndpoint__Output | null {
    return this.#of(shard).replicaEndpoint;
  }

  /** The shards of which this host has the primary or the replica, and whose primary does not keep the replica that is there. */
  withoutTheirReplica(host: number): readonly number[] {
    return this.#shardsWhere((place) => (place.primary === host || place.replica === host) && place.endpoint !== null && place.replicaEndpoint !== null && !keepsReplica(place));
  }

  /** The shards whose primary this host is. */
  primariesOn(host: number): readonly number[] {
    return this.#shardsWhere(({ primary }) => primary === host);
  }

  /** Whether all primaries of this host are reached. */
  hasPrimariesOf(host: number): boolean {
    return this.#places.every(({ primary, endpoint }) => primary !== host || endpoint !== null);
  }

  /** Whether all primaries and replicas of this host are reached. */
  hasAllOf(host: number): boolean {
    return this.hasPrimariesOf(host) && this.#places.every(({ replica, replicaEndpoint }) => replica !== host || replicaEndpoint !== null);
  }

  /** Whether the shard's replica could take over now without a lost step. */
  canPromote(shard: number): boolean {
    const place = this.#of(shard);
    return place.isInSync && place.replicaEndpoint !== null && keepsReplica(place);
  }

  /** Notes where a host has a shard, and gives that; null where it is not this shard's host. */
  locate(host: number, shard: number, addresses: Addresses): ShardEndpoint__Output | null {
    const place = this.#places[shard];
    if (place === undefined || (place.primary !== host && place.replica !== host)) return null;
    const endpoint = { ...addresses, from: place.range.from, to: place.range.to };
    if (place.primary === host) place.endpoint = endpoint;
    else place.replicaEndpoint = endpoint;
    return endpoint;
  }

  setReplica(shard: number, host: number): void {
    Object.assign(this.#of(shard), { replica: host, replicaEndpoint: null });
  }

  /** The primary is told of the replica that is there now. */
  tellPrimary(shard: number): void {
    const place = this.#of(shard);
    Object.assign(place, { kept: place.replicaEndpoint?.tcpAddress ?? '', isInSync: false });
  }

  /** The primary keeps the replica at this address, or none where it is ''. */
  notePrimary(shard: number, kept: string): void {
    const place = this.#of(shard);
    place.isInSync &&= place.kept === kept;
    place.kept = kept;
  }

  dropReplica(shard: number): void {
    Object.assign(this.#of(shard), { replica: null, replicaEndpoint: null });
  }

  /** The replicas that were on this host are none any more; gives their shards. */
  dropReplicasOn(host: number): readonly number[] {
    const shards = this.#shardsWhere(({ replica }) => replica === host);
    for (const shard of shards) this.dropReplica(shard);
    return shards;
  }

  /** What the primary says of the replica at this address; gives its host, or null where that is not the shard's replica, or not there. */
  setInSync(shard: number, isInSync: boolean, replicaAddress: string): number | null {
    const place = this.#places[shard];
    if (place === undefined || place.kept !== replicaAddress) return null;
    const isThere = keepsReplica(place);
    place.isInSync = isInSync;
    if (!isInSync) place.kept = '';
    return isThere ? place.replica : null;
  }

  /** The replica is the primary from now on; gives its host. */
  promote(shard: number): number {
    const place = this.#of(shard);
    if (place.replica === null) throw new Error(`shard ${shard} has no replica`);
    Object.assign(place, { primary: place.replica, endpoint: place.replicaEndpoint, replica: null, replicaEndpoint: null, kept: '', isInSync: false });
    return place.primary;
  }

  /** The host is not reached any more. */
  forsake(host: number): void {
    for (const place of this.#places) {
      if (place.primary === host) place.endpoint = null;
      if (place.replica === host) place.replicaEndpoint = null;
    }
  }

  #of(shard: number): Place {
    const place = this.#places[shard];
    if (place === undefined) throw new Error(`there is no shard ${shard}`);
    return place;
  }

  #shardsWhere(holds: (place: Place) => boolean): readonly number[] {
    return this.#places.flatMap((place, shard) => (holds(place) ? [shard] : []));
  }
}

const keepsReplica = ({ kept, replicaEndpoint }: Place): boolean => kept === replicaEndpoint?.tcpAddress;
