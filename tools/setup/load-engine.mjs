/** Loads the native engine, multiplies two matrices with it, and prints the version of its TensorFlow library. */
import util from 'node:util';

process.env['TF_CPP_MIN_LOG_LEVEL'] = '3';
Object.assign(util, { isNullOrUndefined: (/** @type {unknown} */ value) => value == null, isArray: Array.isArray });

const tf = await import('@tensorflow/tfjs-node-gpu');
const product = tf.matMul([[1, 2], [3, 4]], [[5, 6], [7, 8]]).dataSync();
if (product.join() !== '19,22,43,50') throw new Error(`a product of two matrices came out as ${product.join()}`);
const { binding } = /** @type {any} */ (tf.backend());
console.log(binding.TF_Version);
