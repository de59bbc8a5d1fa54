/** Code points, first and last: the printable bytes stand for themselves, the other 68 are moved behind them. */
const RANGES = [[0x21, 0x7e], [0xa1, 0xac], [0xae, 0xff], [0x100, 0x143]] as const;

/** The signs that stand for the 256 bytes in GPT-2's encoding and its kin, in the order of their code points. */
export const BYTE_ALPHABET: readonly string[] = RANGES.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, at) => String.fromCodePoint(first + at)));
