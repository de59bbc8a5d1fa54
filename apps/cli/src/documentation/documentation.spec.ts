import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importModelFunction } from '@lockstep/core';
import { createTrainingModel, detectCapabilities, loadEngine } from '@lockstep/engine';
import { buildModel, type BuildModel } from '@lockstep/models';
import { chooseNumerics } from '@lockstep/scheduling';
import { loadRun, type LoadedRun } from '../config/index.ts';
import { buildProgram } from '../program.ts';
import { documentedRows, expectedRows } from './config-table.ts';
import { fencedBlocks, localLinks, pages, ROOT, shownCommands } from './pages.ts';

let directory: string;
beforeAll(async () => { directory = await mkdtemp(join(tmpdir(), 'lockstep-docs-')); });
afterAll(() => rm(directory, { recursive: true, force: true }));

const examples = pages().flatMap((page) => fencedBlocks(page, 'ts').filter((source) => source.includes('export default')).map((source, index) => ({ name: `${page.path}, ${index + 1}`, source })));

describe('a config file that the documentation shows', () => {
  it('is there to be looked at', () => {
    expect(examples.length).toBeGreaterThan(3);
  });

  it.each(examples)('loads: $name', async ({ name, source }) => {
    const file = join(directory, `${name.replaceAll(/\W/g, '-')}.config.ts`);
    await writeFile(file, source);
    const run = await loadRun({ configFile: file, overrides: [] });
    if (run.customModel !== null) await buildCustomModel(run);
  });
});

/** As a worker does it, but in JavaScript. */
async function buildCustomModel({ config, customModel }: LoadedRun): Promise<void> {
  const numerics = chooseNumerics({ ...config.numerics, engine: 'javascript' }, [await detectCapabilities('javascript')]);
  const engine = await loadEngine(numerics);
  const shape = { sampleShape: [28, 28, 1], numClasses: 10, seed: config.seed };
  const build = await importModelFunction(customModel!);
  const model = await buildModel(engine, config.model, { ...shape, custom: (context) => build({ ...context, ...shape }) as ReturnType<BuildModel> });
  createTrainingModel(engine, model, { loss: config.loss, numClasses: 10 }).dispose();
}

it('configuration.md lists every field of the schema and no other, with its default and what is allowed', () => {
  const page = pages().find(({ path }) => path === join('docs', 'configuration.md'));
  expect(documentedRows(page!.text)).toEqual(expectedRows());
});

it.each(pages())('$path shows only commands and flags that exist', async (page) => {
  for (const words of shownCommands(page)) {
    const program = await buildProgram(words);
    const command = program.commands.find((candidate) => candidate.name() === words[0]);
    const inner = command?.commands.find((candidate) => candidate.name() === words[1]) ?? command;
    const known = new Set(['--help', ...(inner?.options.map(({ long }) => long) ?? [])]);
    expect(words[0]?.startsWith('-') || inner, words.join(' ')).toBeTruthy();
    expect(words.filter((word) => word.startsWith('--') && !known.has(word)), words.join(' ')).toEqual([]);
  }
});

it.each(pages())('the links of $path lead somewhere', (page) => {
  expect(localLinks(page).filter((target) => !existsSync(join(ROOT, dirname(page.path), target)))).toEqual([]);
});
