/** Longest text, in UTF-16 units, that is handled at a time. */
const PIECE_LENGTH = 65_536;
/** How far around a cut is looked. */
const WINDOW = 64;
/** Places for a cut that are tried before the next best is taken. */
const MAX_TRIES = 32;

/**
 * Cuts a text that comes in parts, of any size, into pieces to be encoded one by one, at most `pieceLength` long. Where it is cut is a function of
 * the text alone, not of its parts: at the last place where, as far as 64 characters on both sides show, the two sides encode to the tokens of
 * the whole; before a space if possible.
 */
export class TextPieces {
  readonly #encode: (text: string) => readonly number[];
  readonly #pieceLength: number;
  #pending = '';

  constructor(encode: (text: string) => readonly number[], pieceLength = PIECE_LENGTH) {
    this.#encode = encode;
    this.#pieceLength = pieceLength;
  }

  *push(part: string): Generator<string> {
    this.#pending += part;
    while (this.#pending.length >= this.#pieceLength + WINDOW) {
      const cut = this.#findCut();
      yield this.#pending.slice(0, cut);
      this.#pending = this.#pending.slice(cut);
    }
  }

  /** What is left, unless that is nothing. */
  *end(): Generator<string> {
    if (this.#pending !== '') yield this.#pending;
    this.#pending = '';
  }

  #findCut(): number {
    const places = [...this.#placesFor(isBeforeSpace), ...this.#placesFor(isBetweenCharacters)];
    return places.find((cut) => this.#isSafe(cut)) ?? places[0]!;
  }

  /** The last places of a kind, the last first. */
  #placesFor(isPlace: (text: string, at: number) => boolean): number[] {
    const places: number[] = [];
    for (let at = this.#pieceLength; at > this.#pieceLength / 2 && places.length < MAX_TRIES; at -= 1) {
      if (isPlace(this.#pending, at)) places.push(at);
    }
    return places;
  }

  #isSafe(cut: number): boolean {
    const [before, after] = [this.#pending.slice(Math.max(0, cut - WINDOW), cut), this.#pending.slice(cut, cut + WINDOW)];
    const whole = this.#encode(before + after);
    const parts = [...this.#encode(before), ...this.#encode(after)];
    return whole.length === parts.length && whole.every((token, at) => token === parts[at]);
  }
}

const isBeforeSpace = (text: string, at: number): boolean => /\S\s\S/.test(text.slice(at - 1, at + 2));

/** Not between the halves of a character outside the first plane of Unicode. */
const isBetweenCharacters = (text: string, at: number): boolean => !/[\ud800-\udbff]/.test(text[at - 1]!);
