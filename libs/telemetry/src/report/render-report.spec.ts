import { evaluatePredictions } from '@lockstep/evaluation';
import { describe, expect, it } from 'vitest';
import { end, epoch, start, step, worker } from '../run-events.fixture.ts';
import type { CurveData } from './curves.ts';
import { renderReport } from './render-report.ts';
import type { ReportImage, ReportInput } from './report-input.ts';

const image: ReportImage = { pixels: Uint8Array.of(0, 255, 128, 1), height: 2, width: 2, channels: 1 };

function reportInput(overrides: Partial<ReportInput> = {}, classNames: readonly string[] = ['cat', 'dog']): ReportInput {
  const evaluation = evaluatePredictions({
    labels: Uint8Array.of(0, 1, 1),
    probabilities: Float32Array.of(0.75, 0.25, 0.875, 0.125, 0.25, 0.75),
    lossSum: 1.5,
    classNames,
  });
  return {
    events: [start, worker(0), step(0), step(1), epoch(0, { loss: 0.5, accuracy: 0.75 }), end],
    classification: {
      evaluation,
      labelHistogram: { training: [40, 60], test: [1, 2] },
      sampleGrid: [{ image, label: 1 }],
      mistakeImages: new Map([[1, image]]),
    },
    config: { seed: 42, optimizer: { kind: 'adam' } },
    ...overrides,
  };
}

function curvesOf(page: string): CurveData {
  const [, json] = /<script type="application\/json" id="curves">(.*?)<\/script>/s.exec(page) ?? [];
  return JSON.parse(json ?? '') as CurveData;
}

describe('renderReport', () => {
  it('holds scores, receipt, config and pictures', () => {
    const page = renderReport(reportInput());
    for (const text of ['66.67 %', end.parametersSha256, 'AVX2', '<dt>optimizer.kind</dt><dd>adam</dd>', '<b>dog</b> taken for <b>cat</b>', Buffer.from(image.pixels).toString('base64')]) {
      expect(page).toContain(text);
    }
  });

  it('tells how well tokens are predicted, and shows no classes then', () => {
    const examples = 'tokens' as const;
    const page = renderReport(reportInput({ events: [{ ...start, examples }, step(0), { ...end, examples, test: { loss: 2, accuracy: 0.5 } }], classification: null }));
    for (const text of ['Test perplexity', '7.39', 'tokens a second', 'Tokens a second']) expect(page).toContain(text);
    expect(page).not.toContain('Confusion matrix');
  });

  it('gives each curve its points', () => {
    const { steps, epochs } = curvesOf(renderReport(reportInput()));
    expect(steps).toMatchObject({ step: [1, 2], loss: [1, 0.5], lossSmooth: [0.75, 0.75], examplesPerSecond: [3200, 3200] });
    expect(epochs).toEqual({ step: [100], validationLoss: [0.5], validationAccuracy: [0.75] });
  });

  it('thins the curves of a long run', () => {
    const steps = Array.from({ length: 30_000 }, (_, number) => step(number));
    const { steps: { step: x } } = curvesOf(renderReport(reportInput({ events: [start, ...steps, end] })));
    expect(x.length).toBeLessThanOrEqual(2000);
    expect(x.at(-1)).toBe(30_000);
  });

  it('treats every name as text', () => {
    const hostile = `</script><script>alert(1)</script><img src=x onerror="alert('2')">`;
    const page = renderReport(reportInput({
      events: [{ ...start, run: hostile, model: hostile }, { ...worker(0), hostname: hostile }, step(0), { ...end, stoppedEarly: hostile, directory: hostile }],
      config: { [hostile]: hostile },
    }, [hostile, 'dog']));
    expect(page).not.toContain('<img');
    expect(page).not.toContain('<script>alert');
    expect(page).toContain('&lt;/script&gt;&lt;script&gt;alert(1)');
  });

  it('forbids itself to load anything', () => {
    expect(renderReport(reportInput()).includes('content="default-src &#39;none&#39;; ')).toBe(true);
  });

  it('asks for the start and the end', () => {
    expect(() => renderReport(reportInput({ events: [start, step(0)] }))).toThrow('start and end');
  });
});
