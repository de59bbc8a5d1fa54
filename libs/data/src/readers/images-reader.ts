import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { LockstepError, messageOf } from '@lockstep/core';
import { imageLengthOf, type ImageShape } from '../dataset.ts';
import { fileError } from './open-file.ts';
import { throwIfAborted, type ReadContext, type SourcePart, type SourceParts } from './source-parts.ts';

const IMAGE_NAME = /\.(png|jpe?g|webp|gif|tiff?|bmp|avif)$/i;
const MAX_SIDE = 512;
const CONCURRENCY = 16;

interface LabelledFile {
  readonly file: string;
  readonly label: number;
}

/**
 * Reads a folder of images a class: `DIR/<class>/*.png`, or the same below `DIR/training` and `DIR/test`. The classes are the
 * folders' names in numeric, then alphabetic order. All images must be of the most common size, unless `resize` is set.
 * A colour image becomes grey unless `channels` is 3.
 */
export async function readImageFolders(directory: string, context: ReadContext): Promise<SourceParts> {
  const folders = await listFolders(directory);
  const split = folders.includes('training') && folders.every((name) => name === 'training' || name === 'test');
  const root = split ? join(directory, 'training') : directory;
  const classNames = split ? await listFolders(root) : folders;
  if (classNames.length < 2 || classNames.length > 256) {
    throw new LockstepError('data', `${root}: ${classNames.length} folders, expected a folder for each of 2 to 256 classes`, { hint: 'a directory of images is DIR/<class>/*.png' });
  }
  const trainingFiles = await listFiles(root, classNames);
  const imageShape = await shapeOf(trainingFiles, context);
  const training = await readFiles(trainingFiles, imageShape, root, context);
  const test = folders.includes('test') && split
    ? await readFiles(await listFiles(join(directory, 'test'), classNames), imageShape, join(directory, 'test'), context)
    : null;
  return { training, test, classNames };
}

async function listFolders(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => { throw fileError(directory, error); });
  return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map((entry) => entry.name).sort(inNumericOrder);
}

const collator = new Intl.Collator('en', { numeric: true });

function inNumericOrder(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : 1);
}

async function listFiles(root: string, classNames: readonly string[]): Promise<LabelledFile[]> {
  const unknown = (await listFolders(root)).filter((name) => !classNames.includes(name));
  if (unknown.length > 0) throw new LockstepError('data', `${join(root, unknown[0]!)}: a class that the training set lacks, expected one of ${classNames.join(', ')}`);
  const lists = await Promise.all(classNames.map(async (name, label) => {
    const names = await readdir(join(root, name)).catch(() => []);
    return names.filter((entry) => IMAGE_NAME.test(entry)).sort(inNumericOrder).map((entry) => ({ file: join(root, name, entry), label }));
  }));
  return lists.flat();
}

async function shapeOf(files: readonly LabelledFile[], context: ReadContext): Promise<ImageShape> {
  const { resize, channels } = context.config;
  if (resize !== null) return { height: resize[0], width: resize[1], channels };
  const counts = new Map<string, number>();
  await inParallel(files, context, 'image sizes', async ({ file }) => {
    const size = await sharp(file).metadata().then(({ height, width }) => `${height}x${width}`, () => null);
    if (size !== null) counts.set(size, (counts.get(size) ?? 0) + 1);
  });
  const [mostCommon] = [...counts].sort((a, b) => b[1] - a[1] || inNumericOrder(a[0], b[0]));
  if (mostCommon === undefined) throw new LockstepError('data', `no readable image among ${files.length} files`, { hint: 'a directory of images is DIR/<class>/*.png' });
  const [height, width] = mostCommon[0].split('x').map(Number) as [number, number];
  if (Math.max(height, width) > MAX_SIDE) {
    throw new LockstepError('data', `most images are of ${height}x${width} pixels, expected at most ${MAX_SIDE}x${MAX_SIDE}`, { hint: 'set data.resize' });
  }
  return { height, width, channels };
}

async function readFiles(files: readonly LabelledFile[], imageShape: ImageShape, root: string, context: ReadContext): Promise<SourcePart> {
  const length = imageLengthOf(imageShape);
  const pixels = new Uint8Array(files.length * length);
  const problems: ({ fault: 'unreadable' | 'wrong-size'; detail: string } | null)[] = [];
  await inParallel(files, context, root, async ({ file }, index) => {
    const outcome = await decode(file, imageShape, context.config.resize !== null);
    problems[index] = outcome instanceof Uint8Array ? null : outcome;
    if (outcome instanceof Uint8Array) pixels.set(outcome, index * length);
  });
  const kept: LabelledFile[] = [];
  files.forEach((labelled, index) => {
    const problem = problems[index];
    if (problem) return context.log.drop(problem.fault, { file: labelled.file, row: null }, problem.detail);
    pixels.copyWithin(kept.length * length, index * length, (index + 1) * length);
    kept.push(labelled);
  });
  const labels = Uint8Array.from(kept, ({ label }) => label);
  const dataset = { images: pixels.subarray(0, kept.length * length), labels, imageShape, numExamples: kept.length };
  return { dataset, numRead: files.length, originOf: (index) => ({ file: kept[index]!.file, row: null }) };
}

/** The pixels of one file, transparency on black. */
async function decode(file: string, shape: ImageShape, resize: boolean): Promise<Uint8Array | { fault: 'unreadable' | 'wrong-size'; detail: string }> {
  try {
    const upright = sharp(file, { failOn: 'truncated' }).autoOrient().flatten({ background: '#000' });
    const sized = resize ? upright.resize(shape.width, shape.height, { fit: 'fill', kernel: 'linear' }) : upright;
    const { data, info } = await sized.toColourspace(shape.channels === 1 ? 'b-w' : 'srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    if (info.height !== shape.height || info.width !== shape.width) {
      return { fault: 'wrong-size', detail: `${info.height}x${info.width} pixels, expected ${shape.height}x${shape.width} as most (set data.resize to read any size)` };
    }
    return info.channels === shape.channels ? data : data.filter((_, at) => at % info.channels < shape.channels);
  } catch (error) {
    return { fault: 'unreadable', detail: messageOf(error).split('\n')[0]! };
  }
}

async function inParallel<T>(items: readonly T[], context: ReadContext, what: string, work: (item: T, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      throwIfAborted(context.signal);
      const index = next++;
      await work(items[index]!, index);
      done += 1;
      if (done % 500 === 0 || done === items.length) context.onProgress(done, items.length, what);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
}
