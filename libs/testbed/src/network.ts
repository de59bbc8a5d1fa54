import { command } from './command.ts';

const DEVICE = 'eth0';
const SUBNET = '10.77.0';

/** A host of the test: a network namespace with one link to the switch. */
export interface Host {
  readonly namespace: string;
  readonly address: string;
}

/** Hosts on a switch, all in network namespaces, so nothing of this machine's own network is touched. */
export class Network implements AsyncDisposable {
  readonly #prefix: string;
  readonly #hosts = new Map<string, Host>();

  private constructor(prefix: string) {
    this.#prefix = prefix;
  }

  static async create(prefix: string): Promise<Network> {
    const network = new Network(prefix);
    await command('ip', 'netns', 'add', network.#switch);
    await command('ip', '-n', network.#switch, 'link', 'add', 'br0', 'type', 'bridge');
    await command('ip', '-n', network.#switch, 'link', 'set', 'br0', 'up');
    return network;
  }

  get #switch(): string {
    return `${this.#prefix}-switch`;
  }

  /** The host of that name, made when it is first asked for. */
  async host(name: string): Promise<Host> {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const number = this.#hosts.size + 1;
    const host = { namespace: `${this.#prefix}-${number}`, address: `${SUBNET}.${number}` };
    this.#hosts.set(name, host);
    await this.#plugIn(host, `port${number}`);
    return host;
  }

  async #plugIn({ namespace, address }: Host, port: string): Promise<void> {
    await command('ip', 'netns', 'add', namespace);
    await command('ip', 'link', 'add', DEVICE, 'netns', namespace, 'type', 'veth', 'peer', 'name', port, 'netns', this.#switch);
    await command('ip', '-n', this.#switch, 'link', 'set', port, 'master', 'br0', 'up');
    await command('ip', '-n', namespace, 'addr', 'add', `${address}/24`, 'dev', DEVICE);
    await command('ip', '-n', namespace, 'link', 'set', DEVICE, 'up');
    await command('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const namespaces = [...[...this.#hosts.values()].map(({ namespace }) => namespace), this.#switch];
    for (const namespace of namespaces) await command('ip', 'netns', 'del', namespace);
  }
}

/**
 * A command that starts the program it is given on a host: with the host's network, and with a tmpfs and a directory of
 * temporary files of its own, so that neither Unix sockets nor shared memory reach the other hosts.
 */
export function launcherOn({ namespace }: Host, temporaryDirectory: string): readonly string[] {
  const hide = `mount -t tmpfs none ${temporaryDirectory} && mount -t tmpfs none /dev/shm && exec "$@"`;
  return ['ip', 'netns', 'exec', namespace, 'sh', '-c', hide, 'sh'];
}

/** What a rule of loss applies to: every packet that comes in and every one that goes out. */
const DIRECTIONS = [['INPUT', '-i', DEVICE], ['OUTPUT', '-o', DEVICE]] as const;

/** Drops packets of a host, both ways: all (`probability` 1) or some. Gives what ends it. */
export async function dropPackets({ namespace }: Host, probability: number): Promise<() => Promise<void>> {
  const some = probability < 1 ? ['-m', 'statistic', '--mode', 'random', '--probability', String(probability)] : [];
  const rule = async (change: '-A' | '-D') => {
    for (const [chain, ...device] of DIRECTIONS) await command('ip', 'netns', 'exec', namespace, 'iptables', '-w', change, chain, ...device, ...some, '-j', 'DROP');
  };
  await rule('-A');
  return () => rule('-D');
}

/** What leaves at once: a segment as the sender makes it, or what a fast line carries in a millisecond. Less, and lines of 1 Gbit/s carried 0.75 of it both ways at once. */
const LEAST_BURST_BYTES = 32_768;

/** Bounds what a host sends. Gives what ends it. */
export async function limitRate({ namespace }: Host, kilobits: number): Promise<() => Promise<void>> {
  const burst = Math.max(LEAST_BURST_BYTES, Math.ceil(kilobits / 8));
  const queue = ['-n', namespace, 'qdisc'];
  await command('tc', ...queue, 'add', 'dev', DEVICE, 'root', 'tbf', 'rate', `${kilobits}kbit`, 'burst', `${burst}b`, 'latency', '400ms');
  return async () => void (await command('tc', ...queue, 'del', 'dev', DEVICE, 'root'));
}
