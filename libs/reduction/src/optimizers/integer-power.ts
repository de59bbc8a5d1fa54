/** `base^exponent` by multiplications alone: unlike `Math.pow`, IEEE fixes its bits in every JavaScript engine. */
export function integerPower(base: number, exponent: number): number {
  let power = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power *= square;
    square *= square;
  }
  return power;
}
