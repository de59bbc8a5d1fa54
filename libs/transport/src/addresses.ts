import { chmodSync } from 'node:fs';
import type { Server, ServerCredentials } from '@grpc/grpc-js';
import { LockstepError, messageOf } from '@lockstep/core';

/** `HOST:PORT`, `[V6]:PORT` or `unix:PATH`. */
export type Address = string;

const UNIX = 'unix:';

export function isUnix(address: Address): boolean {
  return address.startsWith(UNIX);
}

/** What grpc-js dials for an address. */
export function channelTarget(address: Address): string {
  return isUnix(address) ? address : `dns:${address}`;
}

/** What a plain socket dials or binds for an address. */
export function socketTarget(address: Address): { readonly path: string } | { readonly host: string; readonly port: number } {
  return isUnix(address) ? { path: address.slice(UNIX.length) } : parseHostPort(address);
}

/** Checks an address that a person wrote; a port is a must, 0 lets the system choose where one listens. */
export function parseHostPort(address: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || !(port <= 65535)) {
    throw new LockstepError('usage', `got address "${address}", expected HOST:PORT`, { hint: 'for example 127.0.0.1:7077' });
  }
  return { host, port };
}

/** Whether only this machine can reach the address. */
export function isLocal(address: Address): boolean {
  if (isUnix(address)) return true;
  const { host } = parseHostPort(address);
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Listening where others can connect needs an explicit word until mutual TLS guards it. */
export function requireLocalOrInsecure(address: Address, insecure: boolean): void {
  if (insecure || isLocal(address)) return;
  throw new LockstepError('usage', `listening on ${address} would let anyone on the network join, without encryption`, {
    hint: 'listen on 127.0.0.1, or say --insecure on a network that you trust',
  });
}

/** Binds a server to every address; gives them back with the ports that the system chose. */
export async function bindAll(server: Server, addresses: readonly Address[], credentials: ServerCredentials): Promise<Address[]> {
  const bound: Address[] = [];
  for (const address of addresses) bound.push(await bind(server, address, credentials));
  return bound;
}

function bind(server: Server, address: Address, credentials: ServerCredentials): Promise<Address> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error) reject(cannotListen(address, error));
      else resolve(boundAddress(address, port));
    });
  });
}

export function cannotListen(address: Address, cause: Error): LockstepError {
  return new LockstepError('connection', `cannot listen on ${address}: ${messageOf(cause)}`, { cause, hint: 'choose another port, or 0 for any' });
}

/** The address with the port that the system chose; a socket file is its owner's alone from now on. */
export function boundAddress(address: Address, port: number): Address {
  if (!isUnix(address)) return address.replace(/:\d+$/, `:${port}`);
  chmodSync(address.slice(UNIX.length), 0o600);
  return address;
}
