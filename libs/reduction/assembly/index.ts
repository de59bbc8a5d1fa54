export { adam } from './adam';
export { add, clipByValue, copy, divide, scale } from './elementwise';
export { firstNonFinite, sumOfSquares } from './norm';
export { rmsprop, rmspropMomentum } from './rmsprop';
export { momentum, nesterov, sgd } from './sgd';
