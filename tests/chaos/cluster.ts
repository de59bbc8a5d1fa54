import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { RunEvent } from '@lockstep/core';
import { launcherOn, moveAway, type Host, type Network } from '@lockstep/testbed';
import { LockstepProcess, type StartOptions } from '../support/processes.ts';
import type { Shape } from './schedule.ts';

const CONFIG = join(import.meta.dirname, 'run.config.ts');
const COORDINATOR = 'coordinator';
export const RUN = 'run';

export interface ClusterOptions {
  readonly shape: Shape;
  readonly epochs: number;
  /** Of the run, besides. */
  readonly flags: readonly string[];
  readonly failureDetectionMs: number;
  readonly runsDirectory: string;
  /** Where each process has a directory for its temporary files, and its log. */
  readonly directory: string;
  /** Null: all on this machine's loopback. */
  readonly network: Network | null;
  readonly onEvent: (event: RunEvent) => void;
  /** A process has ended that nobody killed or asked to leave. */
  readonly onUnexpectedEnd: (name: string, exitCode: number | null, stderr: string) => void;
}

/** A process of the cluster. */
export interface Member {
  readonly name: string;
  readonly process: LockstepProcess;
  readonly host: Host | null;
  fate: 'running' | 'leaving' | 'killed';
  /** It has been told that it belongs to the run. */
  welcomed: boolean;
}

/** The processes of one run, started by hand so that any can be killed. */
export class Cluster implements AsyncDisposable {
  readonly members = new Map<string, Member>();
  readonly #options: ClusterOptions;
  readonly #cleanups: (() => Promise<void>)[] = [];
  #port: number | null = null;

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  get coordinator(): Member {
    return this.member(COORDINATOR);
  }

  member(name: string): Member {
    const member = this.members.get(name);
    if (member === undefined) throw new Error(`there is no process ${name}`);
    return member;
  }

  running(): readonly Member[] {
    return [...this.members.values()].filter(({ fate }) => fate === 'running');
  }

  /** Resolves when it listens. */
  async startCoordinator({ resume, minWorkers, minServers }: { readonly resume: boolean; readonly minWorkers: number; readonly minServers: number }): Promise<void> {
    const { runsDirectory } = this.#options;
    const listen = `${(await this.#hostOf(COORDINATOR))?.address ?? '127.0.0.1'}:${await this.#portOfCoordinator()}`;
    const run = resume ? ['--resume', RUN] : ['--config', CONFIG, '--run', RUN, '--epochs', String(this.#options.epochs), ...this.#options.flags, ...this.#flagsOfShape()];
    const expected = ['--min-workers', String(minWorkers), ...(minServers > 0 ? ['--min-servers', String(minServers)] : [])];
    await this.#start(COORDINATOR, ['coordinator', '--listen', listen, '--runs-dir', runsDirectory, '--json', ...expected, ...run, ...this.#insecure()]);
    await this.coordinator.process.event('log', ({ message }) => message.includes('--join'));
  }

  /** Starts the coordinator, and the others once it listens. */
  async startAll({ workers, servers }: { readonly workers: readonly string[]; readonly servers: readonly string[] }, { resume, minWorkers }: { readonly resume: boolean; readonly minWorkers: number }): Promise<void> {
    await this.startCoordinator({ resume, minWorkers, minServers: servers.length });
    for (const name of [...servers, ...workers]) await this.startNamed(name);
  }

  /** Starts a process by what its name says it is. */
  async startNamed(name: string, delayMs = 0): Promise<void> {
    const host = await this.#hostOf(name);
    if (host !== null && delayMs > 0) this.#cleanups.push(await moveAway(host, delayMs));
    const coordinator = (await this.#hostOf(COORDINATOR))?.address ?? '127.0.0.1';
    const listen = host === null ? [] : ['--listen', host.address];
    const command = name.startsWith('worker') ? 'worker' : 'parameter-server';
    await this.#start(name, [command, '--join', `${coordinator}:${await this.#portOfCoordinator()}`, ...listen, ...this.#insecure()]);
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.member(name).process.child.kill(signal);
  }

  /** Kills a process with -9 and waits until it is no more. */
  async kill(name: string): Promise<void> {
    const member = this.member(name);
    member.fate = 'killed';
    member.process.child.kill('SIGKILL');
    await member.process.ended;
  }

  async killAll(): Promise<void> {
    await Promise.all(this.running().map(({ name }) => this.kill(name)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process, fate } of this.members.values()) if (fate !== 'killed') process.child.kill('SIGKILL');
    await Promise.all([...this.members.values()].map(({ process }) => process.ended));
    for (const cleanUp of this.#cleanups) await cleanUp();
  }

  async #start(name: string, args: readonly string[]): Promise<void> {
    const { onEvent, onUnexpectedEnd, directory } = this.#options;
    const host = await this.#hostOf(name);
    const log = join(directory, `${name}.log`);
    appendFileSync(log, `# lockstep ${args.join(' ')}\n`);
    const options: StartOptions = {
      ...(await this.#surroundings(name, host)),
      onLine: (line) => {
        appendFileSync(log, `${new Date().toISOString().slice(11, 23)} ${line}\n`);
        if (line.startsWith('joined ')) member.welcomed = true;
        if (name === COORDINATOR && line.startsWith('{')) onEvent(JSON.parse(line) as RunEvent);
      },
    };
    const member: Member = { name, host, process: new LockstepProcess(args, options), fate: 'running', welcomed: name === COORDINATOR };
    this.members.set(name, member);
    void member.process.ended.then(({ exitCode, stderr }) => {
      appendFileSync(log, `# ended with ${member.process.child.signalCode ?? exitCode}\n`);
      if (member.fate === 'running') onUnexpectedEnd(name, exitCode, stderr);
    });
  }

  /** Temporary files and caches of its own; on a host of its own also what no other host sees. */
  async #surroundings(name: string, host: Host | null): Promise<StartOptions> {
    const own = join(this.#options.directory, host === null ? 'tmp' : `tmp-${name}`);
    await mkdir(own, { recursive: true });
    return { env: { TMPDIR: own, XDG_CACHE_HOME: own }, launcher: host === null ? this.#launcherHere(name) : launcherOn(host, own) };
  }

  #launcherHere(name: string): readonly string[] {
    const isApart = this.#options.shape.workersApart && name.startsWith('worker');
    return isApart ? ['unshare', '--uts', 'sh', '-c', 'hostname apart && exec "$@"', 'sh'] : [];
  }

  #hostOf(name: string): Promise<Host | null> {
    const { network } = this.#options;
    return network === null ? Promise.resolve(null) : network.host(name);
  }

  async #portOfCoordinator(): Promise<number> {
    this.#port ??= this.#options.network === null ? await freePort() : 7077;
    return this.#port;
  }

  #insecure(): readonly string[] {
    return this.#options.network === null ? [] : ['--insecure'];
  }

  #flagsOfShape(): readonly string[] {
    const { shape: { shardHosts, shards, replicas, checkpointEverySteps }, failureDetectionMs } = this.#options;
    return [
      '--shard-hosts', shardHosts.join(','), ...(shards === null ? [] : ['--shards', String(shards)]), '--replicas', String(replicas),
      '--checkpoints.every-steps', String(checkpointEverySteps), '--failure-detection-ms', String(failureDetectionMs),
    ];
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
