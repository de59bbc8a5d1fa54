export { adam } from './adam';
export { add, clipByValue, copy, divide, scale } from './elementwise';
export { sumOfSquares } from './norm';
export { rmsprop, rmspropMomentum } from './rmsprop';
export { firstNonFinite, scan } from './scan';
export { momentum, nesterov, sgd } from './sgd';
