/** Loads the engine with the numerics in its argument, multiplies two matrices, and prints how long that took. */
import { performance } from 'node:perf_hooks';
import { LockstepError, type Numerics } from '@lockstep/core';
import { loadEngine } from '@lockstep/engine';

const startMs = performance.now();
const { tf } = await loadEngine(JSON.parse(process.argv[2] ?? '') as Numerics);
const product = tf.matMul([[1, 2], [3, 4]], [[5, 6], [7, 8]]).dataSync();
if (product.join() !== '19,22,43,50') throw new LockstepError('engine', `a product of two matrices came out as ${product.join()}`);
console.log(`loaded and computing in ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
