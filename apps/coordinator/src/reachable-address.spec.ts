import { expect, it } from 'vitest';
import { reachableAddress } from './reachable-address.ts';

it.each([
  ['0.0.0.0:7', '10.0.0.5:4711', '10.0.0.5:7'],
  ['[::]:7', '10.0.0.5:4711', '10.0.0.5:7'],
  ['0.0.0.0:7', '[fe80::1]:4711', '[fe80::1]:7'],
  ['0.0.0.0:7', 'fe80::1:4711', '[fe80::1]:7'],
  ['0.0.0.0:7', 'ipv4:10.0.0.5:4711', '10.0.0.5:7'],
  ['10.0.0.9:7', '10.0.0.5:4711', '10.0.0.9:7'],
  ['0.0.0.0:7', 'in-process', '0.0.0.0:7'],
  ['0.0.0.0:7', 'unix', '0.0.0.0:7'],
])('%s of a host that connects from %s is reached at %s', (address, peer, expected) => {
  expect(reachableAddress(address, peer)).toBe(expected);
});
