import { GRADIENT_MB } from './train-across.ts';

export type AcrossGroup = 'j' | 'k';

/** One way to train. */
export interface Way {
  readonly name: string;
  /** Whether the workers' machine has one name; else each takes it for another, as if it had a machine of its own. */
  readonly oneName: boolean;
  readonly flags: readonly string[];
}

export interface Comparison {
  readonly group: AcrossGroup;
  readonly name: string;
  readonly workers: number;
  readonly ours: Way;
  readonly peer: Way;
  readonly goal: number | null;
}

const MODEL = `MLP of ${GRADIENT_MB.toFixed(2)} MB`;

/** `j`: workers of one machine with its relay, and without. `k`: workers as on machines of their own, gradients compressed, and whole. */
export function comparisonsAcross(group: AcrossGroup, quick: boolean): readonly Comparison[] {
  return group === 'j' ? (quick ? [2] : [2, 4]).map(relay) : (quick ? FEWER.slice(0, 1) : FEWER).map(fewerBytes);
}

const relay = (workers: number): Comparison => ({
  group: 'j', workers, goal: 1, name: `${workers} workers on one host, shards on another, 1 Gbit/s, ${MODEL}`,
  ours: { name: 'relay', oneName: true, flags: [] }, peer: { name: 'no relay', oneName: false, flags: [] },
});

const FEWER = [['int8'], ['topK', '--wire.ratio', '0.01'], ['powerSgd', '--wire.rank', '2']] as const;

const fewerBytes = ([wire, ...options]: (typeof FEWER)[number]): Comparison => ({
  group: 'k', workers: 2, goal: null, name: `2 workers, shards elsewhere, 1 Gbit/s, ${MODEL}, gradients by ${wire}, parameters as bf16`,
  ours: { name: wire, oneName: false, flags: ['--wire', wire, ...options, '--parameter-wire', 'bf16'] }, peer: { name: 'float32', oneName: false, flags: [] },
});
