import { describe, expect, it } from 'vitest';
import { ShardPlaces } from './shard-places.ts';

const ranges = [{ from: 0, to: 4 }, { from: 4, to: 9 }];
const at = (name: string) => ({ unixAddress: `unix:/${name}`, tcpAddress: `127.0.0.1:${name.length}` });

function placed(): ShardPlaces {
  const places = new ShardPlaces(ranges, [{ primary: 1, replica: 2 }, { primary: 2, replica: 1 }]);
  places.locate(1, 0, at('a'));
  places.locate(2, 1, at('b'));
  return places;
}

describe('the places of shards', () => {
  it('are whole when every primary is reached, in range order', () => {
    const places = new ShardPlaces(ranges, [{ primary: 1, replica: null }, { primary: 2, replica: null }]);
    places.locate(2, 1, at('b'));
    expect(places.isWholeWith([])).toBe(false);
    places.locate(1, 0, at('a'));
    expect(places.isWholeWith([])).toBe(true);
    expect(places.endpoints).toEqual([{ ...at('a'), from: 0, to: 4 }, { ...at('b'), from: 4, to: 9 }]);
  });

  it('are whole too where the replicas of what has died are reached', () => {
    const places = new ShardPlaces(ranges, [{ primary: 1, replica: 2 }, { primary: 2, replica: 1 }]);
    places.locate(2, 1, at('b'));
    expect(places.isWholeWith([0])).toBe(false);
    places.locate(2, 0, at('c'));
    expect(places.isWholeWith([0])).toBe(true);
    expect(places.isWholeWith([])).toBe(false);
  });

  it('are not on hosts that they were not given to', () => {
    const places = placed();
    expect(places.locate(3, 0, at('c'))).toBeNull();
    expect(places.locate(1, 7, at('c'))).toBeNull();
    expect(places.endpoints[0]).toMatchObject(at('a'));
  });

  it('pass to a replica that is reached and in sync, and to no other', () => {
    const places = placed();
    expect(places.canPromote(0)).toBe(false);
    places.notePrimary(0, at('c').tcpAddress);
    expect(places.setInSync(0, true, at('c').tcpAddress)).toBeNull();
    expect(places.canPromote(0)).toBe(false);
    places.locate(2, 0, at('c'));
    expect(places.canPromote(0)).toBe(true);
    places.forsake(1);
    expect(places.isWholeWith([])).toBe(false);
    expect(places.promote(0)).toBe(2);
    expect(places.endpoints[0]).toMatchObject(at('c'));
    expect(places.placements).toEqual([{ primary: 2, replica: null }, { primary: 2, replica: 1 }]);
  });

  it('have no replica in sync once another is given', () => {
    const places = placed();
    places.locate(2, 0, at('c'));
    places.tellPrimary(0);
    places.setInSync(0, true, at('c').tcpAddress);
    places.setReplica(0, 3);
    expect(places.canPromote(0)).toBe(false);
    places.locate(1, 1, at('c'));
    places.tellPrimary(1);
    expect(places.setInSync(1, true, at('c').tcpAddress)).toBe(1);
    expect(places.dropReplicasOn(1)).toEqual([1]);
    places.tellPrimary(1);
    expect(places.setInSync(1, true, at('c').tcpAddress)).toBeNull();
  });

  it('do not pass to a replica that is there where the primary was in step with another', () => {
    const places = placed();
    places.notePrimary(0, at('former').tcpAddress);
    places.setInSync(0, true, at('former').tcpAddress);
    places.locate(2, 0, at('c'));
    expect(places.canPromote(0)).toBe(false);
    expect(places.withoutTheirReplica(2)).toEqual([0]);
    places.tellPrimary(0);
    expect(places.withoutTheirReplica(2)).toEqual([]);
    expect(places.setInSync(0, true, at('c').tcpAddress)).toBe(2);
    expect(places.canPromote(0)).toBe(true);
  });

  it('want a replica again that their primary has lost while its host was away', () => {
    const places = placed();
    places.locate(2, 0, at('c'));
    places.tellPrimary(0);
    places.forsake(2);
    expect(places.setInSync(0, false, at('c').tcpAddress)).toBeNull();
    places.locate(2, 0, at('c'));
    expect(places.withoutTheirReplica(2)).toEqual([0]);
    expect(places.withoutTheirReplica(1)).toEqual([0]);
  });

  it('take no news of a replica that is there no more for news of its successor', () => {
    const places = placed();
    places.setReplica(0, 3);
    expect(places.setInSync(0, false, at('old').tcpAddress)).toBeNull();
    places.locate(3, 0, at('c'));
    places.tellPrimary(0);
    expect(places.setInSync(0, true, at('old').tcpAddress)).toBeNull();
    expect(places.canPromote(0)).toBe(false);
    expect(places.setInSync(0, true, at('c').tcpAddress)).toBe(3);
    expect(places.canPromote(0)).toBe(true);
  });

  it('tell the shards of a host, and whether it is back with all of them', () => {
    const places = placed();
    expect(places.primariesOn(2)).toEqual([1]);
    places.forsake(2);
    expect(places.hasPrimariesOf(2)).toBe(false);
    expect(places.hasPrimariesOf(1)).toBe(true);
    places.locate(2, 1, at('b'));
    expect(places.hasPrimariesOf(2)).toBe(true);
    expect(places.hasAllOf(2)).toBe(false);
    places.locate(2, 0, at('c'));
    expect(places.hasAllOf(2)).toBe(true);
  });
});
