import type { StreamDecoder } from './tokenizer.ts';

/** Of an incomplete character of UTF-8, of which at most 3 bytes have come: decoders give one U+FFFD for all of them, or one each. */
const INCOMPLETE = /\ufffd{1,3}$/;

/**
 * Decodes tokens one by one with any decoder of whole lists. A token's text may depend on the one before (spaces), and a character may be of
 * several tokens, so a window of tokens is decoded whole each time, and what may be an incomplete character at its end is held back.
 */
export function createWindowDecoder(decode: (ids: readonly number[]) => string): StreamDecoder {
  let window: number[] = [];
  let numFinished = 0;
  let printed = 0;
  return {
    push(id) {
      window.push(id);
      const text = decode(window);
      const whole = text.replace(INCOMPLETE, '');
      const fresh = whole.slice(printed);
      printed += fresh.length;
      if (whole.length === text.length) moveWindow();
      return fresh;
    },
    end: () => decode(window).slice(printed),
  };

  /** The tokens since the last whole text stay, for the next one's sake. */
  function moveWindow(): void {
    window = window.slice(numFinished);
    numFinished = window.length;
    printed = decode(window).length;
  }
}
