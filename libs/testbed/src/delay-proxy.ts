/**
 * `delay-proxy.ts PORT DELAY_MS`: what connects to PORT by a REDIRECT rule is passed on to where it wanted to go, each
 * way DELAY_MS later. The kernel's table of connections says where that was. (The kernel here has no netem.)
 */
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';

const [port = 0, delayMs = 0] = process.argv.slice(2).map(Number);

createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
  const destination = destinationOf(near);
  if (destination === null) return near.destroy();
  const far = connect({ ...destination, allowHalfOpen: true, noDelay: true });
  relay(near, far);
  relay(far, near);
}).listen(port, '0.0.0.0', () => process.stdout.write('ready\n'));

/** The destination before the rule changed it, from `src=A dst=B sport=C dport=D`, the first such of the connection's line; null of a connection that has broken already. */
function destinationOf({ remoteAddress, remotePort }: Socket): { readonly host: string; readonly port: number } | null {
  const address = remoteAddress?.replace('::ffff:', '') ?? '';
  const wanted = new RegExp(` src=${address.replaceAll('.', '\\.')} dst=(\\S+) sport=${remotePort} dport=(\\d+) `);
  const [, host, hostPort] = wanted.exec(readFileSync('/proc/net/nf_conntrack', 'utf8')) ?? [];
  return host === undefined ? null : { host, port: Number(hostPort) };
}

function relay(from: Socket, to: Socket): void {
  const later = (act: () => void) => setTimeout(act, delayMs);
  from.on('data', (bytes) => later(() => to.write(bytes)));
  from.on('end', () => later(() => to.end()));
  from.on('error', () => later(() => to.destroy()));
  from.on('close', () => later(() => to.destroy()));
}
