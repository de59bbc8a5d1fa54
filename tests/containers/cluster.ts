import { GenericContainer, getContainerRuntimeClient, Network, PullPolicy, Wait, type ExecResult, type StartedNetwork, type StartedTestContainer } from 'testcontainers';
import { EventLog } from './event-log.ts';
import { IMAGE, LABEL } from './image.ts';

const COORDINATOR = 'coordinator';
const PORT = 7077;
const RUNS = '/home/lockstep/runs';

/** One `lockstep` process in a container of its own. */
export class LockstepContainer {
  readonly log = new EventLog();
  readonly #network: StartedNetwork;
  #container: StartedTestContainer | null = null;

  constructor(network: StartedNetwork) {
    this.#network = network;
  }

  async start(container: GenericContainer): Promise<this> {
    this.#container = await container
      .withPullPolicy(PullPolicy.neverPull())
      .withNetwork(this.#network)
      .withLogConsumer((stream) => this.log.read(stream))
      // Not for its health, which is looked at every 10 s: a short run may end before.
      .withWaitStrategy(Wait.forLogMessage(/listening on|joined|waiting/))
      .start();
    return this;
  }

  /** As its process names its machine. */
  get hostname(): string {
    return this.#started.getHostname();
  }

  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    return this.#engine(({ container }) => container.getById(this.#id).kill({ signal }));
  }

  pause(): Promise<void> {
    return this.#engine(({ container }) => container.getById(this.#id).pause());
  }

  unpause(): Promise<void> {
    return this.#engine(({ container }) => container.getById(this.#id).unpause());
  }

  disconnect(): Promise<void> {
    return this.#engine(({ network }) => network.getById(this.#network.getId()).disconnect({ Container: this.#id }));
  }

  reconnect(): Promise<void> {
    return this.#engine(({ network }) => network.getById(this.#network.getId()).connect({ Container: this.#id }));
  }

  /** The process's exit code, once it has ended. */
  async exitCode(): Promise<number> {
    const { container } = await getContainerRuntimeClient();
    const { StatusCode } = (await container.getById(this.#id).wait()) as { StatusCode: number };
    return StatusCode;
  }

  /** Runs the image's health check, now. */
  checkHealth(): Promise<ExecResult> {
    return this.#started.exec(['node', '/opt/lockstep/health.mjs']);
  }

  async remove(): Promise<void> {
    await this.#container?.stop({ timeout: 0, remove: true, removeVolumes: true });
  }

  async #engine(act: (client: Awaited<ReturnType<typeof getContainerRuntimeClient>>) => Promise<unknown>): Promise<void> {
    await act(await getContainerRuntimeClient());
  }

  get #started(): StartedTestContainer {
    if (this.#container === null) throw new Error('the container has not been started');
    return this.#container;
  }

  get #id(): string {
    return this.#started.getId();
  }
}

/** A coordinator and workers as containers on a network of their own; the run's directory is on a volume. */
export class ContainerCluster implements AsyncDisposable {
  readonly #network: StartedNetwork;
  readonly #containers: LockstepContainer[] = [];

  private constructor(network: StartedNetwork) {
    this.#network = network;
  }

  static async create(): Promise<ContainerCluster> {
    const cluster = new ContainerCluster(await new Network().start());
    const { container } = await getContainerRuntimeClient();
    await container.dockerode.createVolume({ Name: cluster.#volume, Labels: { [LABEL]: '' } });
    return cluster;
  }

  /** Every coordinator of a cluster answers to one name and keeps its runs on one volume, as a restarted service does. */
  startCoordinator(...flags: readonly string[]): Promise<LockstepContainer> {
    return this.#start(lockstep('coordinator', '--listen', `0.0.0.0:${PORT}`, '--insecure', '--json', ...flags)
      .withNetworkAliases(COORDINATOR)
      .withBindMounts([{ source: this.#volume, target: RUNS }]));
  }

  async startWorkers(count: number): Promise<readonly LockstepContainer[]> {
    const worker = () => lockstep('worker', '--join', `${COORDINATOR}:${PORT}`, '--listen', '0.0.0.0', '--insecure');
    return Promise.all(Array.from({ length: count }, () => this.#start(worker())));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#containers.map((container) => container.remove()));
    const { container } = await getContainerRuntimeClient();
    await container.dockerode.getVolume(this.#volume).remove({ force: true });
    await this.#network.stop();
  }

  #start(container: GenericContainer): Promise<LockstepContainer> {
    const started = new LockstepContainer(this.#network);
    this.#containers.push(started);
    return started.start(container);
  }

  get #volume(): string {
    return `${this.#network.getName()}-runs`;
  }
}

const lockstep = (...args: readonly string[]): GenericContainer => new GenericContainer(IMAGE).withCommand([...args]).withLabels({ [LABEL]: '' });
