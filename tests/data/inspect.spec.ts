import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockstep } from '../cli/lockstep.ts';

let directory: string;
beforeAll(async () => { directory = await mkdtemp(join(tmpdir(), 'lockstep-inspect-')); });
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Squares of `side` x `side` pixels, one bright pixel each at a place of its own. */
function csvOf(numSamples: number, side: number): string[] {
  return Array.from({ length: numSamples }, (_, sample) => [sample % 3, ...Array.from({ length: side * side }, (_, pixel) => (pixel === sample ? 255 : 0))].join(','));
}

describe('lockstep data inspect', () => {
  it('shows samples, the histogram of labels and the cleaning report of MNIST', async () => {
    const { exitCode, stdout, stderr } = await lockstep('data', 'inspect', '--data.validation', '0.1');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^MNIST: images of 28x28, the model sees 28x28x1; mean 0\.130\d, deviation 0\.308\d of the training split\n/);
    expect(stdout.match(/^\d +\d +\d$/gm)).toHaveLength(3);
    expect(stdout).toMatch(/^5 +█+[▏▎▍▌▋▊▉]? +4,879 +542 +892$/m);
    expect(stdout).toMatch(/^all +54,000 +6,000 +10,000$/m);
    expect(stdout).toMatch(/^Cleaning: 70,000 samples read, 70,000 kept\n {2}no fault found/m);
  });

  it('writes the picture as PNG and as SVG', async () => {
    const [png, svg] = [join(directory, 'mnist.png'), join(directory, 'mnist.svg')];
    expect(await lockstep('data', 'inspect', '--data.limit', '200', '--out', png)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`wrote ${png}`) });
    expect(await lockstep('data', 'inspect', '--data.limit', '200', '--out', svg)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`wrote ${svg}`) });
    const drawing = await readFile(svg, 'utf8');
    expect(drawing.match(/<image /g)).toHaveLength(9);
    expect(drawing).toContain('MNIST: 400 samples');
    const [rastered, drawn] = await Promise.all([sharp(png).metadata(), sharp(svg).metadata()]);
    expect([rastered.width, rastered.height]).toEqual([2 * drawn.width, 2 * drawn.height]);
    const { channels } = await sharp(png).extract({ left: 80, top: 224, width: 296, height: 296 }).stats();
    expect(channels[0]).toMatchObject({ min: 0, max: 255 });
  });

  it('reports what is wrong with a damaged file, row by row, without stopping', async () => {
    const rows = csvOf(30, 6);
    rows[4] = rows[4]!.replace('255', '256');
    rows[9] = rows[9]!.slice(0, 19);
    rows[12] = `7${rows[12]!.slice(1)}`;
    rows[20] = rows[2]!;
    rows[21] = rows[21]!.replace('255', '0');
    const file = join(directory, 'damaged.csv');
    await writeFile(file, rows.join('\n'));
    const { exitCode, stdout } = await lockstep('data', 'inspect', '--data', `csv:${file}`, '--data.num-classes', '3');
    expect(exitCode).toBe(0);
    expect(stdout.slice(stdout.indexOf('Cleaning'))).toBe([
      'Cleaning: 30 samples read, 27 kept',
      '  missing-columns: 1 (dropped)', `    ${file}, row 10: 10 columns, expected 37`,
      '  pixel-out-of-range: 1 (dropped)', `    ${file}, row 5: pixel4 is 256, expected 0 to 255`,
      '  label-out-of-range: 1 (dropped)', `    ${file}, row 13: label 7, expected 0 to 2`,
      '  blank: 1 (kept)', `    ${file}, row 22: every pixel is 0`,
      '  duplicate: 1 (kept)', `    ${file}, row 21: the same pixels as ${file}, row 3 (label 2, this one 2)`,
      "  a run would stop at the first of these: repair them, or set data.onBadSample to 'drop'", '',
    ].join('\n'));
  });

  it('shows samples as the model sees them', async () => {
    const { stdout } = await lockstep('data', 'inspect', '--data.limit', '100', '--data.resize', '32,32', '--data.channels', '3', '--data.augmentation.rotation', '15');
    expect(stdout).toContain('the model sees 32x32x3');
    expect(stdout).toContain('9 training samples, augmented as in epoch 0');
  });

  it.each([
    [['--out', 'picture.jpg'], 'error: --out is picture.jpg, expected a name that ends in .png or .svg\n'],
    [['--data', 'csv:/nowhere/train.csv'], 'error: /nowhere/train.csv: no such file\n'],
  ])('ends with exit code 2 and one line for %j', async (args, stderr) => {
    expect(await lockstep('data', 'inspect', ...args)).toEqual({ exitCode: 2, stdout: '', stderr });
  });
});
