import { createRunDirectory } from '@lockstep/checkpoint';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rankResults, renderResults, resultsObject } from './render-results.ts';
import { renderResultsPage } from './results-page.ts';
import type { Sweep } from './sweep-directory.ts';
import { planOf, resultWith } from './sweep.fixture.ts';

let runs: string;
let sweep: Sweep;
const plan = planOf(['1e-3', '</script>', '0.1']);
const results = [resultWith(plan, 0, [0.5, 0.4]), resultWith(plan, 1, []), resultWith(plan, 2, [0.30001, 0.9])];

beforeAll(async () => {
  runs = await mkdtemp(join(tmpdir(), 'lockstep-sweep-'));
  sweep = { plan, directory: await createRunDirectory(runs, 'rates') };
});
afterAll(() => rm(runs, { recursive: true, force: true }));

it('shows the trials best first, why some failed, and the command of the best', () => {
  expect(renderResults(sweep, results).split('\n')).toEqual([
    'trial  optimizer.learningRate  validation.loss  epochs    time  run',
    '    2                     0.1           0.3000       2  4.00 s  rates/trial-002',
    '    0                    1e-3           0.4000       2  4.00 s  rates/trial-000',
    '    1               </script>           failed       0       0  rates/trial-001',
    '', 'trial-001: the loss is NaN',
    '', 'The best again: npx lockstep train --data.validation 0.1 --optimizer.learning-rate 0.1',
  ]);
});

it('says for machines which trial is best, and null where all failed', () => {
  expect(resultsObject(sweep, results)).toMatchObject({ sweep: 'rates', best: { trial: 2, run: 'trial-002' }, trials: [{ trial: 2 }, { trial: 0 }, { trial: 1, score: null, failure: 'the loss is NaN' }] });
  expect(resultsObject(sweep, [results[1]!])).toMatchObject({ best: null });
});

it('puts trials of a greater budget before those of a smaller one', () => {
  const halved = planOf(['1', '2', '3'], [1, 3]);
  const ranked = rankResults(halved, [resultWith(halved, 0, [0.5], 1), resultWith(halved, 1, [0.9, 0.8, 0.7], 3), resultWith(halved, 2, [0.4], 1)]);
  expect(ranked.map(({ trial }) => trial)).toEqual([1, 2, 0]);
});

it('draws a page that loads nothing, and that no value can break out of', () => {
  const page = renderResultsPage(sweep, results);
  const [, json = ''] = /<script type="application\/json" id="data">(.*?)<\/script>/.exec(page) ?? [];
  expect(JSON.parse(json)).toMatchObject({
    fields: [{ isLog: false, names: ['1e-3', '</script>', '0.1'], points: [{ x: 0, score: 0.4 }, { x: 2, score: 0.30001 }] }],
    curves: [{ run: 'trial-002', loss: [0.30001, 0.9] }, { run: 'trial-000', loss: [0.5, 0.4] }],
  });
  expect(page).not.toMatch(/(?:src|href)=/);
});
