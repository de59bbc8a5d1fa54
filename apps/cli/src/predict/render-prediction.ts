import colors from 'picocolors';

/** What a model says of one picture; `probabilities` by class name, in the classes' order. */
export interface Prediction {
  readonly file: string;
  readonly class: string;
  readonly probability: number;
  readonly probabilities: Readonly<Record<string, number>>;
}

const BARS = '▁▂▃▄▅▆▇█';
/** With more classes than these only the likeliest are shown. */
const MOST_BARS = 12;

/** `digit.png  7  98.4 %   0▁ 1▁ … 7█ 8▁ 9▁` */
export function renderPrediction(prediction: Prediction, fileWidth: number): string {
  const { file, probability } = prediction;
  const verdict = `${colors.bold(prediction.class)}  ${(probability * 100).toFixed(1).padStart(5)} %`;
  const bars = shownClasses(prediction).map(([name, value]) => bar(name, value, name === prediction.class));
  return `${file.padEnd(fileWidth)}  ${verdict}   ${bars.join(' ')}`;
}

function shownClasses({ probabilities }: Prediction): [string, number][] {
  const classes = Object.entries(probabilities);
  return classes.length <= MOST_BARS ? classes : classes.toSorted((a, b) => b[1] - a[1]).slice(0, MOST_BARS);
}

function bar(name: string, value: number, isBest: boolean): string {
  const text = `${name}${BARS[Math.min(BARS.length - 1, Math.floor(value * BARS.length))]}`;
  return isBest ? colors.green(text) : colors.dim(text);
}
