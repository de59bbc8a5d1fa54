import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { command } from './command.ts';
import type { Host } from './network.ts';

const PROXY = fileURLToPath(new URL('./delay-proxy.ts', import.meta.url));
const PROXY_PORT = 15_000;
/** The proxy's own connections are known by their group, and go out as they are. */
const PROXY_GROUP = 65_534;

/** Puts what a host's processes connect to so many milliseconds away, each way. Gives what ends it. */
export async function moveAway({ namespace, address }: Host, delayMs: number): Promise<() => Promise<void>> {
  const proxy = spawn('ip', ['netns', 'exec', namespace, process.execPath, PROXY, String(PROXY_PORT), String(delayMs)], { gid: PROXY_GROUP, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(proxy, 'close');
  await once(proxy.stdout, 'data');
  const others = ['-p', 'tcp', '!', '-d', address, '-m', 'owner', '!', '--gid-owner', String(PROXY_GROUP)];
  await command('ip', 'netns', 'exec', namespace, 'iptables', '-w', '-t', 'nat', '-A', 'OUTPUT', '-o', 'eth0', ...others, '-j', 'REDIRECT', '--to-ports', String(PROXY_PORT));
  return async () => {
    proxy.kill('SIGKILL');
    await ended;
  };
}
