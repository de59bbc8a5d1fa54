import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeSafetensors } from '@lockstep/checkpoint';
import type { EndEvent, RunEvent } from '@lockstep/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockstep } from '../cli/lockstep.ts';
import { lockstepEvents, LockstepProcess } from '../support/processes.ts';

const ROW = 48;

let directory: string;
let tokens: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-lora-'));
  const talks = Array.from({ length: 24 }, (_, at) => ({ messages: [{ role: 'user', content: `What is ${at} and one?` }, { role: 'assistant', content: `Arr, ${at + 1}!` }] }));
  await writeFile(join(directory, 'talks.jsonl'), talks.map((talk) => JSON.stringify(talk)).join('\n'));
  tokens = join(directory, 'talks.tokens');
  const { exitCode, stderr } = await lockstep('data', 'tokenize', join(directory, 'talks.jsonl'), '--chat', '--tokenizer', 'asset:smollm2', '--row-length', String(ROW), '--out', tokens);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
}, 180_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

const argumentsOf = (run: string): string[] => [
  '--data', `tokens:${tokens}`, '--data.source.row-length', String(ROW), '--model', 'pretrained', '--model.path', 'asset:smollm2', '--model.lora.rank', '4', '--model.lora.targets', 'q_proj',
  '--model.lora.dropout', '0.1', '--optimizer', 'adamw', '--optimizer.learning-rate', '2e-3', '--global-batch-size', '4', '--micro-batches', '4', '--epochs', '2', '--seed', '3', '--failure-detection-ms', '10000',
  '--runs-dir', directory, '--run', run,
];

async function train(run: string, ...flags: readonly string[]): Promise<EndEvent> {
  const { exitCode, stderr, events } = await lockstepEvents('train', ...argumentsOf(run), ...flags);
  expect({ exitCode, stderr }, run).toEqual({ exitCode: 0, stderr: '' });
  return endOf(events);
}

const endOf = (events: readonly RunEvent[]): EndEvent => events.find((event) => event.event === 'end')!;
const outcome = ({ parametersSha256, test }: EndEvent) => ({ parametersSha256, test });

describe('SmolLM2 with adapters, on packed chats of which only answers count', () => {
  let one: EndEvent;
  beforeAll(async () => {
    one = await train('one', '--workers', '1');
  }, 240_000);

  it.each([['two', ['--workers', '2']], ['three', ['--workers', '3', '--shards', '2', '--no-shared-memory']]] as const)('ends with the same bytes by %s workers', async (run, flags) => {
    expect(outcome(await train(run, ...flags))).toEqual(outcome(one));
  }, 240_000);

  it('ends with the same bytes where a worker is killed and another joins', async () => {
    const coordinator = new LockstepProcess(['coordinator', '--listen', '127.0.0.1:0', '--min-workers', '2', '--json', ...argumentsOf('chaos')]);
    const { message } = await coordinator.event('log', ({ message: text }) => text.includes('--join'));
    const address = /--join ([\d.]+:\d+)$/.exec(message)![1]!;
    const join = (): LockstepProcess => new LockstepProcess(['worker', '--join', address]);
    const workers = [join(), join()];
    await coordinator.event('step', ({ step }) => step >= 1);
    workers[0]!.child.kill('SIGKILL');
    workers.push(join());
    const { exitCode, events } = await coordinator.ended;
    expect(exitCode).toBe(0);
    expect(outcome(endOf(events))).toEqual(outcome(one));
    expect(events.filter((event) => event.event === 'worker' && event.state === 'lost')).toHaveLength(1);
    await Promise.all(workers.map(({ ended }) => ended));
  }, 240_000);

  it('keeps its adapters alone, which answer, and are merged for transformers', async () => {
    const { tensors } = decodeSafetensors(await readFile(join(directory, 'one', 'model.safetensors')));
    expect(tensors).toHaveLength(60);
    expect(tensors.every(({ name }) => /self_attn\.q_proj\.lora_[AB]\.weight$/.test(name))).toBe(true);
    const answer = await lockstep('generate', 'one', '--runs-dir', directory, '--chat', '--prompt', 'What is 3 and one?', '--temperature', '0', '--max-tokens', '8', '--json');
    expect(JSON.parse(answer.stdout)).toMatchObject({ text: expect.stringContaining('Arr') as string });
    const exported = await lockstep('export', 'one', '--runs-dir', directory, '--adapters', '--out', join(directory, 'adapters'));
    expect({ exitCode: exported.exitCode, stderr: exported.stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(JSON.parse(await readFile(join(directory, 'adapters', 'adapter_config.json'), 'utf8'))).toMatchObject({ peft_type: 'LORA', r: 4, target_modules: ['q_proj'] });
  }, 120_000);
});
