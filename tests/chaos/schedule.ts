import { uniformStream, type ShardHostKind } from '@lockstep/core';

/** Where the processes of a run are and what they host. */
export interface Shape {
  /** `machine`: one host, with Unix sockets and shared memory; `network`: a host each, in network namespaces. */
  readonly place: 'machine' | 'network';
  /** The workers' machine bears another name than that of the rest: they add up among themselves what goes to shards there. */
  readonly workersApart: boolean;
  readonly shardHosts: readonly ShardHostKind[];
  readonly replicas: 0 | 1;
  /** Null: one a host. */
  readonly shards: number | null;
  readonly workers: readonly string[];
  readonly servers: readonly string[];
  readonly checkpointEverySteps: number;
}

/** A process by its name: `coordinator`, `worker-3`, `server-0`. */
export type Fault =
  | { readonly kind: 'kill'; readonly target: string }
  /** Killed with -9, and started again with --resume on the same port after `downMs`. */
  | { readonly kind: 'restart-coordinator'; readonly downMs: number }
  | { readonly kind: 'pause'; readonly target: string; readonly durationMs: number }
  | { readonly kind: 'join'; readonly target: string; readonly delayMs: number }
  | { readonly kind: 'leave'; readonly target: string }
  /** Runs for `runMs` of every `runMs + stopMs`. */
  | { readonly kind: 'slow'; readonly target: string; readonly durationMs: number; readonly runMs: number; readonly stopMs: number }
  | { readonly kind: 'partition'; readonly target: string; readonly durationMs: number }
  | { readonly kind: 'loss'; readonly target: string; readonly durationMs: number; readonly probability: number }
  | { readonly kind: 'slow-link'; readonly target: string; readonly durationMs: number; readonly kilobits: number }
  | { readonly kind: 'full-disk'; readonly durationMs: number }
  /** Everything is killed, then resumed with other workers. */
  | { readonly kind: 'restart-all'; readonly workers: readonly string[]; readonly servers: readonly string[] }
  /** The same, with the newest checkpoint damaged while all is down. */
  | { readonly kind: 'bad-checkpoint'; readonly damage: 'cut' | 'flip'; readonly workers: readonly string[]; readonly servers: readonly string[] };

export type FaultKind = Fault['kind'];

export interface PlannedFault {
  /** It strikes when so many steps have finished ... */
  readonly atStep: number;
  /** ... and the run has recovered from the fault before it, or at once with that one. */
  readonly withPrevious: boolean;
  readonly fault: Fault;
}

export interface Schedule {
  readonly seed: number;
  readonly shape: Shape;
  readonly faults: readonly PlannedFault[];
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly totalSteps: number;
  readonly numFaults: number;
  readonly failureDetectionMs: number;
}

/**
 * The faults of a run: a pure function of its options. One worker at least is always left that no fault is upon. They are
 * planned for the first third of the steps: each waits until the run has recovered from the one before, and steps go on meanwhile.
 */
export function drawSchedule(options: ScheduleOptions): Schedule {
  const draws = new Draws(options.seed);
  const drawn = drawShape(draws);
  const shape: Shape = { ...drawn, workersApart: drawn.place === 'machine' && options.seed % 2 === 1 };
  const world = new World(shape);
  const faults: PlannedFault[] = [];
  for (let index = 0; index < options.numFaults; index += 1) {
    const before = faults.at(-1);
    const fault = drawFault(draws, world, shape, options.failureDetectionMs);
    const withPrevious = before !== undefined && draws.chance(0.25) && !before.withPrevious && mayStrikeTogether(before.fault, fault);
    const atStep = Math.round(options.totalSteps * (0.02 + (0.33 * (index + draws.next() * 0.5)) / options.numFaults));
    faults.push({ atStep: withPrevious ? before.atStep : atStep, withPrevious, fault });
  }
  return { seed: options.seed, shape, faults };
}

/** A join is worth waiting for, what strikes all processes strikes alone, and the coordinator dies once at a time. */
const mayStrikeTogether = (a: Fault, b: Fault): boolean => !ALONE.has(a.kind) && !ALONE.has(b.kind) && !(isUponCoordinator(a) && isUponCoordinator(b));

const isUponCoordinator = (fault: Fault): boolean => fault.kind === 'restart-coordinator' || ('target' in fault && fault.target === 'coordinator');

const ALONE: ReadonlySet<FaultKind> = new Set(['join', 'full-disk', 'restart-all', 'bad-checkpoint']);

const SHARD_HOSTS: readonly (readonly ShardHostKind[])[] = [['coordinator'], ['workers'], ['servers'], ['workers', 'servers'], ['coordinator', 'workers'], ['coordinator', 'servers']];

function drawShape(draws: Draws): Omit<Shape, 'workersApart'> {
  const shardHosts = draws.one(SHARD_HOSTS);
  const workers = draws.one([1, 2, 2, 3, 3, 4]);
  const servers = shardHosts.includes('servers') ? draws.whole(1, 2) : 0;
  return {
    place: draws.one(['machine', 'network'] as const),
    shardHosts,
    replicas: draws.chance(0.5) ? 1 : 0,
    shards: draws.one([null, null, 1, 3]),
    workers: names('worker', 0, workers),
    servers: names('server', 0, servers),
    checkpointEverySteps: draws.one([10, 25, 50]),
  };
}

/** What a fault is drawn from, each as often as the others that are possible then. */
function drawFault(draws: Draws, world: World, shape: Shape, failureDetectionMs: number): Fault {
  const kind = draws.one(possibleKinds(world, shape));
  const fault = makeFault(kind, draws, world, shape, failureDetectionMs);
  world.apply(fault);
  return fault;
}

function possibleKinds(world: World, shape: Shape): readonly FaultKind[] {
  if (world.spareWorkers().length === 0) return world.workers.length > 1 && world.maySilence ? ['join', 'restart-coordinator'] : ['join'];
  const anywhere: FaultKind[] = ['kill', 'kill', 'pause', 'pause', 'slow'];
  if (world.maySilence) anywhere.push('restart-coordinator');
  if (world.workers.length < 4 || world.servers.length < shape.servers.length) anywhere.push('join');
  if (world.workers.length > 2 || world.servers.length > 0) anywhere.push('leave');
  if (world.numFaults >= 2 && !world.restartedAll) anywhere.push('restart-all', 'bad-checkpoint');
  if (!world.hadFullDisk) anywhere.push('full-disk');
  return shape.place === 'machine' ? anywhere : [...anywhere, 'partition', 'partition', 'loss', 'slow-link'];
}

function makeFault(kind: FaultKind, draws: Draws, world: World, shape: Shape, detectionMs: number): Fault {
  const gone = () => draws.one([...world.spareWorkers(), ...world.spareServers()]);
  const any = () => draws.one([...world.spareWorkers(), ...world.spareServers(), ...(world.maySilence ? ['coordinator'] : [])]);
  const overdue = () => draws.whole(2 * detectionMs, 3 * detectionMs);
  const passing = () => draws.whole(detectionMs, 2 * detectionMs);
  switch (kind) {
    case 'kill':
    case 'leave':
      return { kind, target: gone() };
    case 'restart-coordinator':
      return { kind, downMs: draws.one([0, draws.whole(100, 500), passing()]) };
    case 'pause':
    case 'partition':
      return { kind, target: any(), durationMs: draws.chance(0.4) ? draws.whole(detectionMs / 10, detectionMs / 2) : overdue() };
    case 'join':
      return { kind, target: draws.chance(0.5) && world.servers.length < shape.servers.length ? world.newServer() : world.newWorker(), delayMs: shape.place === 'network' && draws.chance(0.3) ? draws.whole(2, 15) : 0 };
    case 'slow':
      return { kind, target: gone(), durationMs: passing(), runMs: 20, stopMs: draws.whole(20, 150) };
    case 'loss':
      return { kind, target: any(), durationMs: passing(), probability: draws.whole(2, 20) / 100 };
    case 'slow-link':
      return { kind, target: any(), durationMs: passing(), kilobits: draws.one([1_000, 4_000, 16_000]) };
    case 'full-disk':
      return { kind, durationMs: passing() };
    case 'restart-all':
      return { kind, ...world.newCluster(draws.whole(1, 4)) };
    case 'bad-checkpoint':
      return { kind, damage: draws.one(['cut', 'flip'] as const), ...world.newCluster(draws.whole(1, 4)) };
  }
}

/** Who is there after the faults drawn so far, and who must be spared since a recent one may not be over. */
class World {
  workers: string[];
  servers: string[];
  numFaults = 0;
  restartedAll = false;
  hadFullDisk = false;
  #numSilences = 0;
  #recentTargets: string[] = [];
  #numWorkers: number;
  #numServers: number;

  constructor({ workers, servers }: Shape) {
    this.workers = [...workers];
    this.servers = [...servers];
    this.#numWorkers = workers.length;
    this.#numServers = servers.length;
  }

  /** Training may go on with nobody told of it while the coordinator is away: not so often that the run is over before its faults. */
  get maySilence(): boolean {
    return this.#numSilences < 2;
  }

  /** Workers that a fault may strike: no recent one has, and another such one is left. */
  spareWorkers(): readonly string[] {
    const sound = this.workers.filter((name) => !this.#recentTargets.includes(name));
    return sound.length < 2 ? [] : sound;
  }

  spareServers(): readonly string[] {
    return this.servers.filter((name) => !this.#recentTargets.includes(name));
  }

  newWorker(): string {
    return `worker-${this.#numWorkers}`;
  }

  newServer(): string {
    return `server-${this.#numServers}`;
  }

  newCluster(numWorkers: number): { readonly workers: readonly string[]; readonly servers: readonly string[] } {
    return { workers: names('worker', this.#numWorkers, numWorkers), servers: names('server', this.#numServers, this.servers.length) };
  }

  apply(fault: Fault): void {
    this.numFaults += 1;
    if (fault.kind === 'restart-all' || fault.kind === 'bad-checkpoint') this.#replaceAll(fault);
    if (fault.kind === 'full-disk') this.hadFullDisk = true;
    if (isUponCoordinator(fault)) this.#numSilences += 1;
    this.#recentTargets = this.#recentTargets.slice(-1);
    if (!('target' in fault)) return;
    if (fault.kind === 'join') this.#add(fault.target);
    else if (fault.kind === 'kill' || fault.kind === 'leave') this.#remove(fault.target);
    else this.#recentTargets.push(fault.target);
  }

  #add(name: string): void {
    if (name === this.newServer()) {
      this.servers.push(name);
      this.#numServers += 1;
    } else {
      this.workers.push(name);
      this.#numWorkers += 1;
    }
  }

  #remove(name: string): void {
    this.workers = this.workers.filter((other) => other !== name);
    this.servers = this.servers.filter((other) => other !== name);
  }

  #replaceAll({ workers, servers }: { readonly workers: readonly string[]; readonly servers: readonly string[] }): void {
    this.restartedAll = true;
    this.workers = [...workers];
    this.servers = [...servers];
    this.#numWorkers += workers.length;
    this.#numServers += servers.length;
    this.#recentTargets = [];
  }
}

class Draws {
  readonly next: () => number;

  constructor(seed: number) {
    this.next = uniformStream(seed);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  whole(least: number, most: number): number {
    return Math.floor(least + this.next() * (most - least + 1));
  }

  one<T>(values: readonly T[]): T {
    const value = values[Math.floor(this.next() * values.length)];
    if (value === undefined) throw new Error('nothing to draw from');
    return value;
  }
}

function names(kind: 'worker' | 'server', first: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${kind}-${first + index}`);
}
