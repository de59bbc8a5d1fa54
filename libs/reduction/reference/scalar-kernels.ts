/** The kernels' formulas in plain JavaScript, one element at a time and rounded after every operation: what the WebAssembly must equal bit for bit. */

const f = Math.fround;
type Values = Float32Array;
type Element = (at: number) => number;

function fill(values: Values, element: Element): void {
  for (let at = 0; at < values.length; at++) values[at] = element(at);
}

const get = (values: Values, at: number): number => values[at] ?? Number.NaN;
/** `gradient + l2 * parameter` */
const slopeAt = (p: Values, g: Values, at: number, l2: number): number => f(get(g, at) + f(f(l2) * get(p, at)));
/** `decay * old + weight * slope * slope` */
const squareAt = (old: number, slope: number, decay: number): number => f(f(f(decay) * old) + f(f(f(1 - decay) * slope) * slope));

export const scalarKernels = {
  add: (into: Values, other: Values) => fill(into, (at) => f(get(into, at) + get(other, at))),
  divide: (values: Values, divisor: number) => fill(values, (at) => f(get(values, at) / f(divisor))),
  scale: (values: Values, factor: number) => fill(values, (at) => f(get(values, at) * f(factor))),
  clipByValue: (values: Values, limit: number) =>
    fill(values, (at) => (get(values, at) < -f(limit) ? -f(limit) : get(values, at) > f(limit) ? f(limit) : get(values, at))),

  sumOfSquares(values: Values): number {
    const square = (at: number) => get(values, at) * get(values, at);
    const whole = values.length - (values.length % 8);
    let sum = 0;
    for (let lane = 0; lane < 8; lane++) {
      let laneSum = 0;
      for (let at = lane; at < whole; at += 8) laneSum += square(at);
      sum += laneSum;
    }
    for (let at = whole; at < values.length; at++) sum += square(at);
    return sum;
  },

  /** Lanes of 16, then the lanes and what remains in order, each by `h = (h ^ x) * factor; h ^= h >>> 15` in 32 bits. */
  digest(values: Values): number {
    const words = new Int32Array(values.buffer, values.byteOffset, values.length);
    const whole = words.length - (words.length % 16);
    const mix = (hash: number, word: number): number => {
      const product = Math.imul(hash ^ word, 0x85ebca6b);
      return product ^ (product >>> 15);
    };
    const fold = (hash: number, list: Int32Array): number => list.reduce(mix, hash);
    const lanes = Int32Array.from({ length: 16 }, (_, lane) => fold(0, words.subarray(0, whole).filter((_word, at) => at % 16 === lane)));
    return fold(fold(0, lanes), words.subarray(whole)) >>> 0;
  },

  sgd: (p: Values, g: Values, rate: number, l2: number) => fill(p, (at) => f(get(p, at) - f(f(rate) * slopeAt(p, g, at, l2)))),

  momentum(p: Values, g: Values, u: Values, rate: number, l2: number, momentum: number, nesterov: boolean): void {
    fill(p, (at) => {
      const slope = slopeAt(p, g, at, l2);
      const velocity = (u[at] = f(f(f(momentum) * get(u, at)) + slope));
      const update = nesterov ? f(slope + f(f(momentum) * velocity)) : velocity;
      return f(get(p, at) - f(f(rate) * update));
    });
  },

  adam(
    p: Values, g: Values, m: Values, v: Values,
    { stepSize, epsilon, beta1, beta2, l2, shrink }: Record<'stepSize' | 'epsilon' | 'beta1' | 'beta2' | 'l2' | 'shrink', number>,
  ): void {
    fill(p, (at) => {
      const parameter = (p[at] = f(get(p, at) * f(shrink)));
      const slope = slopeAt(p, g, at, l2);
      const mean = (m[at] = f(get(m, at) + f(f(1 - beta1) * f(slope - get(m, at)))));
      const variance = (v[at] = squareAt(get(v, at), slope, beta2));
      return f(parameter - f(f(f(stepSize) * mean) / f(f(Math.sqrt(variance)) + f(epsilon))));
    });
  },

  rmsprop(p: Values, g: Values, s: Values, u: Values | null, rate: number, alpha: number, epsilon: number, l2: number, momentum: number): void {
    fill(p, (at) => {
      const slope = slopeAt(p, g, at, l2);
      const square = (s[at] = squareAt(get(s, at), slope, alpha));
      const normalized = f(slope / f(f(Math.sqrt(square)) + f(epsilon)));
      const update = u === null ? normalized : (u[at] = f(f(f(momentum) * get(u, at)) + normalized));
      return f(get(p, at) - f(f(rate) * update));
    });
  },
};
