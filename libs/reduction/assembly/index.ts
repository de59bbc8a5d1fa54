export { adam } from './adam';
export { addRoundedBf16, decodeBf16, encodeBf16, roundBf16 } from './bf16';
export { add, clipByValue, copy, divide, scale } from './elementwise';
export { addRoundedInt8, decodeInt8, encodeInt8, roundInt8 } from './int8';
export { sumOfSquares } from './norm';
export { rmsprop, rmspropMomentum } from './rmsprop';
export { firstNonFinite, scan } from './scan';
export { momentum, nesterov, sgd } from './sgd';
