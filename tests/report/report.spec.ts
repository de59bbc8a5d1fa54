import type { RunEvent, StepEvent } from '@lockstep/core';
import { renderReport } from '@lockstep/telemetry';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from './browser.ts';
import { syntheticReportInput } from './synthetic-run.ts';

type Theme = 'light' | 'dark';

const WIDE = 1400;
const NARROW = 390;
const POLL = { timeout: 20_000 };
const CURVES = ['loss', 'accuracy', 'examplesPerSecond', 'learningRate'];

let browser: Browser;
let directory: string;
let reportUrl: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-report-'));
  reportUrl = await writeReport('report.html', renderReport(syntheticReportInput()));
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await rm(directory, { recursive: true });
});

async function writeReport(name: string, markup: string): Promise<string> {
  await writeFile(join(directory, name), markup);
  return pathToFileURL(join(directory, name)).href;
}

/** Opens a page and keeps what it complained about and what it asked for. */
async function open(url: string, width: number, colorScheme: Theme): Promise<{ page: Page; complaints: string[]; requests: string[] }> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  const [complaints, requests]: [string[], string[]] = [[], []];
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) complaints.push(message.text()); });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => { complaints.push(`dialog ${dialog.message()}`); void dialog.dismiss(); });
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(url, { waitUntil: 'load' });
  return { page, complaints, requests };
}

/** How many different colours each canvas that matches shows; 1 is an empty one. */
const coloursOf = (page: Page, selector: string): Promise<number[]> => page.evaluate(`
  [...document.querySelectorAll(${JSON.stringify(selector)})].map((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  })`);

const overflowOf = (page: Page): Promise<number> => page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

const backgroundOf = (page: Page, selector: string): Promise<string> => page.evaluate(`getComputedStyle(document.querySelector(${JSON.stringify(selector)})).backgroundColor`);

describe.each([[WIDE, 'light'], [WIDE, 'dark'], [NARROW, 'light'], [NARROW, 'dark']] as const)('the report at %i pixels, %s', (width, theme) => {
  it('draws everything, fits the width, complains of nothing and asks for nothing', async () => {
    const { page, complaints, requests } = await open(reportUrl, width, theme);
    for (const curve of CURVES) {
      const [colours] = await coloursOf(page, `[data-curve=${curve}] canvas`);
      expect(colours, curve).toBeGreaterThan(10);
    }
    const digits = await coloursOf(page, 'canvas[data-pixels]');
    expect(digits).toHaveLength(48);
    expect(Math.min(...digits)).toBeGreaterThan(10);
    expect(await overflowOf(page)).toBe(0);
    expect(complaints).toEqual([]);
    expect(requests.filter((url) => url !== reportUrl && !url.startsWith('data:'))).toEqual([]);
    await page.close();
  });
});

describe('the report', () => {
  it('follows the theme, also while it is open', async () => {
    const { page } = await open(reportUrl, WIDE, 'light');
    const [lightPage, lightCard] = [await backgroundOf(page, 'body'), await backgroundOf(page, '.card')];
    const lightChart = await page.locator('[data-curve=loss]').screenshot();
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.evaluate('new Promise(requestAnimationFrame)');
    expect(await backgroundOf(page, 'body')).not.toBe(lightPage);
    expect(await backgroundOf(page, '.card')).not.toBe(lightCard);
    expect((await page.locator('[data-curve=loss]').screenshot()).equals(lightChart)).toBe(false);
    await page.close();
  });

  it('draws its charts anew when the window changes', async () => {
    const { page } = await open(reportUrl, WIDE, 'light');
    await page.setViewportSize({ width: NARROW, height: 900 });
    await expect.poll(() => page.evaluate('document.querySelector("[data-curve=loss] canvas").clientWidth'), POLL).toBeLessThan(NARROW);
    expect(await overflowOf(page)).toBe(0);
    await page.close();
  });

  it('tells the figures under the pointer', async () => {
    const { page } = await open(reportUrl, WIDE, 'light');
    const plot = page.locator('[data-curve=loss] .u-over');
    await plot.hover({ position: { x: 250, y: 100 } });
    await expect.poll(() => page.locator('[data-curve=loss] .u-legend').textContent(), POLL).toMatch(/training0\.\d+.*step \d+|step \d+.*training0\.\d+/);
    await page.close();
  });

  it.each([
    ['no step', () => []],
    ['one step', (steps) => steps.slice(0, 1)],
    ['a loss of zero', (steps) => steps.map((step) => ({ ...step, loss: 0 }))],
    ['a loss that is no number', (steps) => steps.map((step) => ({ ...step, loss: NaN }))],
  ] satisfies [string, (steps: StepEvent[]) => StepEvent[]][])('stands a run of %s', async (_, change) => {
    const input = syntheticReportInput();
    const isStep = (event: RunEvent) => event.event === 'step';
    const events = [...input.events.filter((event) => event.event !== 'epoch' && event.event !== 'step'), ...change(input.events.filter(isStep))];
    const { page, complaints } = await open(await writeReport('edge.html', renderReport({ ...input, events })), WIDE, 'light');
    expect(complaints).toEqual([]);
    expect(Math.min(...(await coloursOf(page, 'canvas[data-pixels]')))).toBeGreaterThan(10);
    await page.close();
  });

  it('shows hostile and long names as text, within the width', async () => {
    const input = syntheticReportInput('<img src=x onerror=alert(1)>'.repeat(4));
    const { evaluation } = input.classification;
    const classes = evaluation.classes.map((entry, label) => ({ ...entry, name: `</script><script>alert(${label})</script>` }));
    const url = await writeReport('hostile.html', renderReport({ ...input, classification: { ...input.classification, evaluation: { ...evaluation, classes } } }));
    for (const width of [WIDE, NARROW]) {
      const { page, complaints } = await open(url, width, 'light');
      expect(await page.locator('h1').textContent()).toContain('<img src=x onerror=alert(1)>');
      expect(await overflowOf(page)).toBe(0);
      expect(complaints).toEqual([]);
      await page.close();
    }
  });
});
