import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LockstepError } from '@lockstep/core';
import type { ProcessFailure } from './scale-messages.ts';

type Kinded = { readonly kind: string };
type Of<Report extends Kinded, Kind extends Report['kind']> = Extract<Report, { readonly kind: Kind }>;

interface Waiting<Report> {
  readonly takes: (report: Report) => boolean;
  readonly resolve: (report: Report) => void;
  readonly reject: (error: unknown) => void;
}

const LAST_WORDS = 4000;

/** A process of the measurement: commands to it, reports from it. It ends when this process does. */
export class ChildLink<Command extends object, Report extends Kinded> {
  readonly #child: ChildProcess;
  readonly #what: string;
  readonly #reports: Report[] = [];
  readonly #exited: Promise<void>;
  readonly #failed = Promise.withResolvers<LockstepError>();
  #waiting: Waiting<Report>[] = [];
  #failure: LockstepError | null = null;
  /** Told of reports that nobody waits for. */
  onReport: (report: Report) => void = () => undefined;

  /** `what` names the process in errors; `script` is a file of this folder. */
  constructor(what: string, script: string, args: readonly string[]) {
    this.#what = what;
    // A group of its own: Ctrl-C at the terminal is for this process, which ends the others.
    this.#child = fork(fileURLToPath(new URL(script, import.meta.url)), args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], detached: true });
    let lastWords = '';
    this.#child.stderr?.on('data', (text: Buffer) => {
      lastWords = `${lastWords}${text.toString('utf8')}`.slice(-LAST_WORDS);
    });
    this.#child.on('message', (report: Report) => this.#take(report));
    this.#exited = new Promise((resolve) => this.#child.once('close', (code, signal) => {
      this.#fail(`ended with ${signal ?? `exit code ${code}`}${lastWords === '' ? '' : `:\n${lastWords.trim()}`}`);
      resolve();
    }));
  }

  /** Resolves with what went wrong, or with how the process ended. */
  get failed(): Promise<LockstepError> {
    return this.#failed.promise;
  }

  send(command: Command): void {
    if (this.#child.connected) this.#child.send(command, () => undefined);
  }

  /** The next report of a kind, or one that came before and nobody took; rejects when the process ends without. */
  next<Kind extends Report['kind']>(kind: Kind, signal: AbortSignal): Promise<Of<Report, Kind>> {
    const takes = (report: Report): boolean => report.kind === kind;
    const index = this.#reports.findIndex(takes);
    if (index >= 0) return Promise.resolve(this.#reports.splice(index, 1)[0] as Of<Report, Kind>);
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) return reject(this.#failure);
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#waiting.push({ takes, resolve: (report) => resolve(report as Of<Report, Kind>), reject });
    });
  }

  /** Waits for it to end by itself, then kills it. */
  async end(graceMs: number): Promise<void> {
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.#exited;
    clearTimeout(kill);
  }

  #take(report: Report): void {
    if (report.kind === 'failed') return this.#fail((report as unknown as ProcessFailure).message);
    const waiting = this.#waiting.find(({ takes }) => takes(report));
    if (waiting === undefined) {
      this.#reports.push(report);
      return this.onReport(report);
    }
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
    waiting.resolve(report);
  }

  #fail(reason: string): void {
    this.#failure ??= new LockstepError('worker-lost', `${this.#what} (process ${this.#child.pid}): ${reason}`);
    this.#failed.resolve(this.#failure);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
