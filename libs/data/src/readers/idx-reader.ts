import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { LockstepError } from '@lockstep/core';
import { parseIdx } from './idx-format.ts';
import { readWholeFile, unpack } from './open-file.ts';
import { numberedClasses, type ReadContext, type SourcePart, type SourceParts } from './source-parts.ts';

/**
 * Reads a directory of IDX files under their usual names: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the same with
 * `t10k-` (or with `.idx3-ubyte`), plain or with `.gz`. Without any `t10k-` file there is no test set.
 */
export async function readIdxDirectory(directory: string, context: ReadContext): Promise<SourceParts> {
  const training = await readIdxPart(directory, 'train', context);
  if (training === null) throw missingFile(directory, 'train-images-idx3-ubyte');
  const test = await readIdxPart(directory, 't10k', context);
  return { training, test, classNames: numberedClasses(context.config.numClasses) };
}

async function readIdxPart(directory: string, prefix: string, context: ReadContext): Promise<SourcePart | null> {
  const imageFile = await findFile(directory, prefix, 'images', 3);
  const labelFile = await findFile(directory, prefix, 'labels', 1);
  if (imageFile === null && labelFile === null) return null;
  if (imageFile === null) throw missingFile(directory, `${prefix}-images-idx3-ubyte`);
  if (labelFile === null) throw missingFile(directory, `${prefix}-labels-idx1-ubyte`);
  const [imageBytes, labelBytes] = await Promise.all([readPlainOrPacked(imageFile, context), readPlainOrPacked(labelFile, context)]);
  const part = combineIdx({ file: imageFile, content: imageBytes }, { file: labelFile, content: labelBytes }, context);
  context.onProgress(part.dataset.numExamples, part.dataset.numExamples, imageFile);
  return part;
}

interface IdxFile {
  readonly file: string;
  readonly content: Uint8Array;
}

/** Images and their labels; where one file has more samples, the surplus is a `wrong-count`. */
export function combineIdx(imageFile: IdxFile, labelFile: IdxFile, context: ReadContext): SourcePart {
  const images = parseIdx(imageFile.file, imageFile.content, 3, context.log);
  const labels = parseIdx(labelFile.file, labelFile.content, 1, context.log);
  const [numImages, height, width] = images.dimensions as [number, number, number];
  const [numLabels] = labels.dimensions as [number];
  if (images.numDeclared !== labels.numDeclared) {
    const numExamples = Math.min(images.numDeclared, labels.numDeclared);
    context.log.drop('wrong-count', { file: imageFile.file, row: numExamples }, `${images.numDeclared} images, but ${labels.numDeclared} labels in ${labelFile.file}`, Math.abs(images.numDeclared - labels.numDeclared));
  }
  const numExamples = Math.min(numImages, numLabels);
  const imageShape = { height, width, channels: 1 };
  const dataset = { images: images.bytes.subarray(0, numExamples * height * width), labels: labels.bytes.subarray(0, numExamples), imageShape, numExamples };
  return { dataset, numRead: Math.max(images.numDeclared, labels.numDeclared), originOf: (row) => ({ file: imageFile.file, row }) };
}

async function findFile(directory: string, prefix: string, what: 'images' | 'labels', numDimensions: number): Promise<string | null> {
  for (const separator of ['-', '.']) {
    for (const ending of ['', '.gz']) {
      const file = join(directory, `${prefix}-${what}${separator}idx${numDimensions}-ubyte${ending}`);
      if (await exists(file)) return file;
    }
  }
  return null;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(() => true, () => false);
}

async function readPlainOrPacked(file: string, context: ReadContext): Promise<Uint8Array> {
  const content = await readWholeFile(file, context.signal);
  return file.endsWith('.gz') ? unpack(file, content, context.log) : content;
}

function missingFile(directory: string, name: string): LockstepError {
  return new LockstepError('not-found', `${join(directory, name)}: no such file, nor one with .gz`, {
    hint: 'an idx directory holds train-images-idx3-ubyte, train-labels-idx1-ubyte and the same two with t10k-, each plain or .gz',
  });
}
