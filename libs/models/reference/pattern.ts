/** The values that `language_models.py` gives to a tensor (purpose 0) or multiplies its gradient with (purpose 1). */
export function pattern(name: string, length: number, purpose: number): Float32Array {
  let key = purpose;
  for (const character of name) key = (Math.imul(key, 31) + character.charCodeAt(0)) >>> 0;
  const around = purpose === 0 && name.endsWith('norm.weight') ? 1 : 0;
  return Float32Array.from({ length }, (_, index) => {
    let mixed = (Math.imul(index, 2654435761) + key) >>> 0;
    mixed = Math.imul(mixed ^ (mixed >>> 15), 2246822519) >>> 0;
    return (((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32 - 0.5) * 0.6 + around;
  });
}
