/** A field's value in one trial, as a flag says it. */
export interface FieldText {
  /** `optimizer.learningRate` */
  readonly field: string;
  readonly text: string;
}

/** What one trial sets, in the order of the axes. */
export type Point = readonly FieldText[];

/** A field and all its values to try. */
export interface GridAxis {
  readonly field: string;
  readonly texts: readonly string[];
}

/** Every combination of the axes' values, the last axis changing fastest; one empty point where there is no axis. */
export function gridPoints(axes: readonly GridAxis[]): readonly Point[] {
  return axes.reduce<readonly Point[]>(
    (points, { field, texts }) => points.flatMap((point) => texts.map((text) => [...point, { field, text }])),
    [[]],
  );
}
