import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { sha256, type Numerics } from '@lockstep/core';
import { blankHeader, encodeFrame, framesOf, PROTOCOL_VERSION } from '@lockstep/transport';
import { FETCH, framed, HOST, JOIN, PUT, type RawPeers } from './raw-peers.ts';
import { hostAs, joinAs } from './strangers.ts';

const SEED = 20_260;
const MIB = 1024 * 1024;
const ANSWER_MS = 20_000;

/** What is done to a running cluster, and what whoever does it is told. */
export interface Attack {
  readonly name: string;
  readonly act: () => Promise<string>;
  readonly answer: RegExp;
}

const seededBytes = (label: string, count: number): Buffer => createHash('shake256', { outputLength: count }).update(`${SEED} ${label}`).digest();
const DIGESTS = new Uint32Array(1);
const capabilities = { engineBuild: 'x', device: 'cpu', gpuKind: '', instructionSet: 'AVX2', hostname: 'stranger', pid: 1 };

/** On a port where gRPC is spoken. */
export function attacksOnGrpc(peers: RawPeers, port: number, path: string): Attack[] {
  const bytes = (name: string, sent: Buffer): Attack => ({ name: `${path}: ${name}`, act: () => peers.bytes(port, sent), answer: /^closed$/ });
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  return [
    bytes('HTTP/1', Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)),
    bytes('a TLS hello', Buffer.concat([Buffer.from('16030100f4010000f00303', 'hex'), seededBytes('tls', 240)])),
    ...Array.from({ length: 20 }, (_, index) => bytes(`random bytes ${index}`, seededBytes(`${index}`, 64 * 1024))),
    ...Array.from({ length: 20 }, (_, index) => bytes(`random frames ${index}`, Buffer.concat([preface, seededBytes(`frames ${index}`, 64 * 1024)]))),
    { name: `${path}: a message of 4 GiB, announced`, act: () => peers.request(port, path, framed(seededBytes('huge', 1_000), 0xffff_ffff)), answer: /RESOURCE_EXHAUSTED/ },
    { name: `${path}: a message of 100 MiB, sent`, act: () => peers.call(port, path, [Buffer.alloc(100 * MIB)]), answer: /RESOURCE_EXHAUSTED|UNAVAILABLE|CANCELLED/ },
    { name: `${path}: a message cut off`, act: () => peers.request(port, path, framed(seededBytes('cut', 100), 1_000)), answer: /^OK/ },
    { name: `${path}: a method that does not exist`, act: () => peers.call(port, `${path}s`, []), answer: /^UNIMPLEMENTED/ },
  ];
}

/** On a port where a shard takes tensor streams. */
export function attacksOnShard(peers: RawPeers, port: number): Attack[] {
  const bytes = (name: string, sent: Buffer): Attack => ({ name: `a shard: ${name}`, act: () => peers.bytes(port, sent), answer: /^closed$/ });
  const frames = (name: string, sent: Buffer, answer: RegExp): Attack => ({ name: `a shard: ${name}`, act: () => peers.frames(port, [sent]), answer });
  return [
    frames('HTTP/1', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a browser or something else\r\n\r\n'), /^protocol: malformed tensor frame: 542393671 bytes/),
    frames('HTTP/2', Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), seededBytes('settings', 64)]), /^protocol: malformed tensor frame/),
    frames('a TLS hello', Buffer.concat([Buffer.from('16030100f4010000f00303', 'hex'), seededBytes('tls', 240)]), /^protocol: malformed tensor frame/),
    ...Array.from({ length: 20 }, (_, index) => bytes(`random bytes ${index}`, seededBytes(`${index}`, 64 * 1024))),
    frames('a frame of 4 GiB, announced', Buffer.concat([Buffer.alloc(4, 0xff), seededBytes('huge', 1_000)]), /^protocol: malformed tensor frame: 4294967295 bytes/),
    bytes('100 MiB, sent', Buffer.alloc(100 * MIB)),
    frames('a hello of 64 KiB', encodeFrame(blankHeader, Buffer.alloc(64 * 1024)), /^protocol: malformed tensor frame: 65596 bytes before the slice/),
  ];
}

/** On the port where members join. */
export function attacksOnControl(peers: RawPeers, port: number): Attack[] {
  const address = `127.0.0.1:${port}`;
  const join = (name: string, hello: Parameters<typeof joinAs>[1], answer: RegExp): Attack => ({ name: `a worker that joins ${name}`, act: async () => told(await joinAs(address, hello)), answer });
  const host = (name: string, hello: Parameters<typeof hostAs>[1], answer: RegExp): Attack => ({ name: `a host that joins ${name}`, act: async () => told(await hostAs(address, hello)), answer });
  const good = { protocolVersion: PROTOCOL_VERSION, capabilities };
  return [
    join('with another protocol version', { ...good, protocolVersion: 1 }, new RegExp(`^protocol: refused by the coordinator: it speaks version 1 of the protocol, expected ${PROTOCOL_VERSION}$`)),
    join('with no capabilities', { protocolVersion: PROTOCOL_VERSION }, /^protocol: refused .* does not say what it can do$/),
    join('as of another run', { ...good, rejoin: { runId: 'another', rank: 0 } }, /^usage: refused .* another run/),
    host('with another protocol version', { protocolVersion: 1, kind: 'server' }, new RegExp(`^protocol: refused .* version 1 of the protocol, expected ${PROTOCOL_VERSION}$`)),
    host('as something unknown', { protocolVersion: PROTOCOL_VERSION, kind: 'toaster' }, /^protocol: refused .* kind "toaster"/),
    host('as of another run', { protocolVersion: PROTOCOL_VERSION, kind: 'server', rehost: { runId: 'another', host: 0, shards: [] } }, /^usage: refused .* another run/),
    { name: 'a first message that is no protobuf', act: () => peers.call(port, JOIN, [Buffer.from('ffffffff', 'hex')]), answer: /^INTERNAL/ },
    { name: 'a first message that is empty', act: () => peers.call(port, HOST, [Buffer.alloc(0)]), answer: /^OK/ },
    { name: 'a block that does not exist', act: () => peers.request(port, FETCH, framed(blockRequest('a'.repeat(64)))), answer: /^NOT_FOUND/ },
    { name: 'a block put without a token', act: () => peers.put(port, PUT, [], {}), answer: /^PERMISSION_DENIED/ },
  ];
}

export const silence = (peers: RawPeers, port: number): Attack => ({ name: 'a stream that says nothing', act: () => peers.call(port, JOIN, []), answer: /^DEADLINE_EXCEEDED: no hello within 10 s$/ });

/** By somebody whom the coordinator has let in and who knows the run's token. */
export async function attacksFromWithin(peers: RawPeers, control: number, shard: number): Promise<Attack[]> {
  const address = `127.0.0.1:${control}`;
  const host = await hostAs(address, { protocolVersion: PROTOCOL_VERSION, kind: 'server', hostname: 'stranger', pid: 1 });
  if (typeof host === 'string') throw new Error(host);
  const { token, runId } = host.welcome;
  const fields = (changes: object) => ({ 'lockstep-token': token, 'lockstep-sha256': sha256(Buffer.from('x')), 'lockstep-bytes': '1', ...changes });
  const exchange = (name: string, frames: readonly Buffer[], answer: RegExp): Attack => ({ name: `a stream to the shard ${name}`, act: () => peers.frames(shard, frames), answer });
  /** Each by a rank of its own: one that connects anew takes its stream over. */
  const hello = (rank: number): Buffer => workerHello({ token, rank });
  const partial = (changes: object, floats: number): readonly Buffer[] => framesOf('partial', { step: 0, node: { level: 0, index: 0 }, ...changes }, new Float32Array(floats).fill(NaN), DIGESTS);
  return [
    { name: 'a block put with a wrong hash', act: () => peers.put(control, PUT, [chunk(Buffer.from('y'))], fields({})), answer: /^INVALID_ARGUMENT: 1 bytes of 1 came, without the SHA-256/ },
    { name: 'a block put of 5 GiB', act: () => peers.put(control, PUT, [], fields({ 'lockstep-bytes': String(5 * 1024 * MIB) })), answer: /^RESOURCE_EXHAUSTED/ },
    { name: 'a rank that was never given', act: async () => told(await joinAs(address, { protocolVersion: PROTOCOL_VERSION, capabilities, rejoin: { runId, rank: 99 } })), answer: /^protocol: refused .* rank 99 was never given$/ },
    { name: 'a host number that was never given', act: async () => told(await hostAs(address, { protocolVersion: PROTOCOL_VERSION, kind: 'server', rehost: { runId, host: 99, shards: [] } })), answer: /^protocol: refused .* host number 99 was never given$/ },
    exchange('without a hello', partial({}, 10), /^protocol: partial before hello$/),
    exchange('without the token', [workerHello({ token: 'guessed' })], /does not present the token of this run/),
    exchange('with a hello that is no JSON', [encodeFrame(blankHeader, Buffer.from('{'))], /malformed hello/),
    exchange('with a frame that is no frame', [hello(77), seededBytes('frame', 1_000)], /^protocol/),
    exchange('with a partial of another length', [hello(78), ...partial({}, 10)], /^protocol/),
    exchange('with a node that does not exist', [hello(79), ...partial({ node: { level: 30, index: 7 } }, 10)], /^protocol/),
    exchange('with a step that is far away', [hello(80), ...partial({ step: 4_000_000_000 }, 10)], /^protocol/),
    exchange('with a shared file that it was not offered', [hello(81), encodeFrame({ ...blankHeader, kind: 'partial', carrier: 'shared', slot: 9, count: 10, length: 10 })], /^protocol/),
  ];
}

/** A worker that could take part and does nothing, and peers that ask for much and never read it, until they are let go. */
export async function neverRead(peers: RawPeers, control: number, { engineBuild, device, gpuKind, instructionSet }: Numerics): Promise<void> {
  const able = { engineBuild, device, gpuKind: gpuKind ?? '', instructionSet, hostname: 'stranger', pid: 1 };
  const joined = await joinAs(`127.0.0.1:${control}`, { protocolVersion: PROTOCOL_VERSION, capabilities: able });
  if (typeof joined === 'string') throw new Error(joined);
  const request = framed(blockRequest(joined.welcome.dataset!.sha256));
  await Promise.all(Array.from({ length: 20 }, () => peers.unread(control, FETCH, request)));
  joined.client.close();
}

/** What each attack was answered, by its name. */
export async function answersTo(attacks: readonly Attack[]): Promise<Record<string, string>> {
  return Object.fromEntries(await Promise.all(attacks.map(async ({ name, act }) => [name, await Promise.race([act(), noAnswer()])])));
}

const noAnswer = (): Promise<string> => delay(ANSWER_MS, `no answer within ${ANSWER_MS / 1000} s`, { ref: false });

const workerHello = (changes: object): Buffer => encodeFrame(blankHeader, Buffer.from(JSON.stringify({ role: 'worker', rank: 76, connection: 'e'.repeat(32), ...changes })));

/** A BlockRequest. */
const blockRequest = (hash: string): Buffer => Buffer.concat([Buffer.from([0x0a, hash.length]), Buffer.from(hash)]);

/** A BlockChunk. */
const chunk = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0x0a, bytes.length]), bytes]);

const told = (answer: string | object): string => (typeof answer === 'string' ? answer : 'welcome');
