const WILDCARD = /^(?:0\.0\.0\.0|\[::\])(?=:\d+$)/;

/** A host that listens on every interface is reached where its own connection comes from (`IP:PORT`, else this machine). */
export function reachableAddress(tcpAddress: string, peer: string): string {
  const ip = /^(?:ipv[46]:)?(.+):\d+$/.exec(peer)?.[1];
  return ip === undefined ? tcpAddress : tcpAddress.replace(WILDCARD, ip.includes(':') && !ip.startsWith('[') ? `[${ip}]` : ip);
}
