import { count } from '../progress-text.ts';
import { html, type Html } from './html.ts';
import type { RunRecord } from './run-record.ts';

type Entry = readonly [name: string, value: string];

/** What makes the run the same elsewhere: its numerics, sizes and hash; and who computed it. */
export function receipt({ start, shards, workers, end }: RunRecord): Html {
  const { numerics } = start;
  const entries: Entry[] = [
    ['parameters SHA-256', end.parametersSha256],
    ['steps', count(end.steps)],
    [`${end.examples} trained`, count(end.trainExamples)],
    ['global batch', `${count(start.globalBatchSize)} in ${start.microBatches} micro-batches`],
    ...(shards === null ? [] : [['shards', `${shards.hosts.length} on ${[...new Set(shards.hosts)].join(', ')}`] as const]),
    ['engine', numerics.engineBuild],
    ['device', numerics.gpuKind ?? numerics.device],
    ['instruction set', numerics.instructionSet],
    ['intra-op threads', String(numerics.intraOpThreads)],
    ['oneDNN', numerics.oneDnn ? 'on' : 'off'],
    ['deterministic ops', numerics.deterministicOps ? 'on' : 'off'],
    ...workers.map((worker): Entry => [`worker ${worker.rank}`, `${worker.hostname}:${worker.pid}, ${worker.device}, ${worker.state}`]),
    ['directory', end.directory],
  ];
  return html`<section class="card wide-6"><h2>Receipt</h2><p class="hint">The same config gives the same hash for any number of workers.</p>${list(entries)}</section>`;
}

export function configTable(config: object): Html {
  return html`<section class="card wide-6"><h2>Config</h2>${list(flatten(config, ''))}</section>`;
}

function list(entries: readonly Entry[]): Html {
  return html`<dl>${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** Nested fields as `a.b: value`; arrays of plain values stay together. */
function flatten(value: object, prefix: string): Entry[] {
  return Object.entries(value).flatMap(([name, field]: [string, unknown]): Entry[] => {
    const path = prefix + name;
    if (typeof field === 'function') return [[path, `${field.name || 'a function'} (code)`]];
    if (typeof field !== 'object' || field === null) return [[path, String(field)]];
    if (Array.isArray(field) && field.every((item) => typeof item !== 'object')) return [[path, field.join(', ')]];
    return flatten(field, `${path}.`);
  });
}
