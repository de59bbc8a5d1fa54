import { assertNever, type EpochEvent, type LogEvent, type ShardsEvent, type StartEvent, type StepEvent, type WorkerEvent } from '@lockstep/core';
import { MultiBar, type Params, type SingleBar } from 'cli-progress';
import pc from 'picocolors';
import { count, duration, endText, epochText, lossText, percent, perplexityText, shardsText, startText, workerText } from './progress-text.ts';
import type { RunEventSink } from './run-event-sink.ts';
import { trackTimeLeft } from './time-left.ts';
import { trackWorkerLoad, type WorkerLoad } from './worker-load.ts';

const SECONDS_BETWEEN_UPDATES = 0.1;
const BAR_COLUMNS = 24;
const LABEL_COLUMNS = 12;
/** In a narrower terminal the figures need the bars' place. */
const COLUMNS_FOR_BARS = 110;

/** The live lines are cut at the terminal's width, those that stay are wrapped. */
const WRAP_ON = '\x1b[?7h';
const WRAP_OFF = '\x1b[?7l';
const CLEAR_TO_LINE_END = '\x1b[K';

interface LinePayload {
  readonly label: string;
  readonly figures: readonly string[];
}

interface WorkerLine {
  readonly bar: SingleBar;
  readonly worker: WorkerEvent;
}

/**
 * For a terminal: a live line for the run and one a worker, redrawn ten times a second; epochs, lost workers and log lines scroll above.
 * The stream stays open.
 */
export function createTerminalProgress(stream: NodeJS.WriteStream): RunEventSink {
  return new TerminalProgress(stream);
}

class TerminalProgress implements RunEventSink {
  readonly #stream: NodeJS.WriteStream;
  readonly #colors: ReturnType<typeof pc.createColors>;
  readonly #bars: MultiBar;
  readonly #timeLeft = trackTimeLeft();
  readonly #workerLoads = trackWorkerLoad();
  /** Those that joined before the run's own line stood. */
  readonly #waiting: WorkerEvent[] = [];
  readonly #workers = new Map<number, WorkerLine>();
  #start: StartEvent | undefined;
  #runBar: SingleBar | undefined;
  #lastUpdateSeconds = -Infinity;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#colors = pc.createColors(stream.hasColors());
    this.#bars = new MultiBar({ stream, fps: 10, forceRedraw: true, clearOnComplete: true, format: (_, params, payload: LinePayload) => this.#line(params, payload) });
  }

  write(event: Parameters<RunEventSink['write']>[0]): void {
    switch (event.event) {
      case 'start': return this.#onStart(event);
      case 'worker': return this.#onWorker(event);
      case 'step': return this.#onStep(event);
      case 'epoch': return this.#onEpoch(event);
      case 'checkpoint': return;
      case 'shards': return this.#onShards(event);
      case 'stall': return this.#onLog({ event: 'log', level: 'warn', message: event.reason });
      case 'log': return this.#onLog(event);
      case 'end':
        this.#stopBars();
        this.#print(endText(event));
        return;
      default: return assertNever(event);
    }
  }

  close(): Promise<void> {
    this.#stopBars();
    return new Promise((resolve) => { this.#stream.write('', () => resolve()); });
  }

  #onStart(event: StartEvent): void {
    this.#print(startText(event));
    this.#start = event;
    this.#runBar = this.#bars.create(event.totalSteps, 0, { label: `epoch 1/${event.epochs}`, figures: [] } satisfies LinePayload);
    this.#waiting.splice(0).forEach((worker) => this.#onWorker(worker));
  }

  #onStep(event: StepEvent): void {
    const loads = this.#workerLoads(event);
    if (loads !== null) this.#showLoads(loads);
    const isLast = event.step + 1 === this.#start?.totalSteps;
    if (this.#start === undefined || (!isLast && event.elapsedSeconds - this.#lastUpdateSeconds < SECONDS_BETWEEN_UPDATES)) return;
    this.#lastUpdateSeconds = event.elapsedSeconds;
    this.#runBar?.update(event.step + 1, { label: `epoch ${event.epoch + 1}/${this.#start.epochs}`, figures: this.#stepFigures(event, this.#start) } satisfies LinePayload);
  }

  #stepFigures(event: StepEvent, { totalSteps, examples }: StartEvent): string[] {
    const left = this.#timeLeft(event, totalSteps);
    return [
      `step ${event.step + 1}/${totalSteps}`,
      `loss ${this.#colors.bold(lossText(event.loss))}`,
      examples === 'tokens' ? `perplexity ${this.#colors.bold(perplexityText(event.loss))}` : `accuracy ${this.#colors.bold(percent(event.accuracy, 1))}`,
      `${count(event.examplesPerSecond)} ${examples}/s`,
      ...(left === null ? [] : [`${duration(left)} left`]),
    ];
  }

  #onWorker(worker: WorkerEvent): void {
    if (this.#start === undefined) {
      this.#waiting.push(worker);
      return;
    }
    if (worker.state === 'lost' || worker.state === 'left') this.#print(this.#colors.yellow(workerText(worker)));
    const payload: LinePayload = { label: `worker ${worker.rank}`, figures: [worker.state, ...this.#place(worker)] };
    const line = this.#workers.get(worker.rank);
    line?.bar.update(0, payload);
    this.#workers.set(worker.rank, { bar: line?.bar ?? this.#bars.create(1, 0, payload), worker });
  }

  #showLoads(loads: ReadonlyMap<number, WorkerLoad>): void {
    for (const [rank, load] of loads) {
      const line = this.#workers.get(rank);
      if (line === undefined) continue;
      const work = [`${percent(load.busy, 0)} busy`, `${load.microBatches} micro-batches`, `${load.computeMsPerStep.toFixed(1)} ms a step`];
      line.bar.update(load.busy, { label: `worker ${rank}`, figures: [...work, ...this.#place(line.worker)] } satisfies LinePayload);
    }
  }

  #place({ hostname, pid, device }: WorkerEvent): string[] {
    return [this.#colors.dim(`${hostname}:${pid}`), this.#colors.dim(device)];
  }

  #onEpoch(event: EpochEvent): void {
    this.#print(epochText(event, this.#start?.epochs ?? event.epoch + 1, this.#start?.examples ?? 'images'));
  }

  #onShards(event: ShardsEvent): void {
    const text = shardsText(event);
    if (text !== null) this.#print(this.#colors.yellow(text));
  }

  #onLog({ level, message }: LogEvent): void {
    const paint = { info: (text: string) => text, warn: this.#colors.yellow, error: this.#colors.red }[level];
    this.#print(paint(level === 'info' ? message : `${level}: ${message}`));
  }

  /** A line that stays: above the live lines while they stand. */
  #print(line: string): void {
    if (this.#runBar === undefined) this.#stream.write(`${line}\n`);
    else this.#bars.log(`${WRAP_ON}${line}${CLEAR_TO_LINE_END}${WRAP_OFF}\n`);
  }

  /** Clears the live lines once what was to stay is written. */
  #stopBars(): void {
    if (this.#runBar === undefined) return;
    this.#bars.update();
    this.#bars.stop();
    this.#runBar = undefined;
    this.#start = undefined;
  }

  #line({ progress }: Params, { label, figures }: LinePayload): string {
    if (this.#stream.columns < COLUMNS_FOR_BARS) return [label, ...figures].join(' ');
    const filled = Math.round(progress * BAR_COLUMNS);
    const bar = this.#colors.cyan('━'.repeat(filled)) + this.#colors.dim('─'.repeat(BAR_COLUMNS - filled));
    return [`${label.padEnd(LABEL_COLUMNS)} ${bar}`, ...figures].join('  ');
  }
}
