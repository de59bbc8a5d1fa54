import { LockstepError } from '@lockstep/core';
import sharp from 'sharp';

/** Grey values 0..255, row-major. */
export interface GreyImage {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const SIDE = 28;
const DIGIT_SIDE = 20;
/** Of the ink's range: fainter than this is background. */
const FAINTEST_INK = 0.15;
/** A picture whose darkest and lightest values are nearer than this shows nothing. */
const LEAST_CONTRAST = 16;

/**
 * A picture of one digit, of any size, dark on light or light on dark, as MNIST's images were made
 * (http://yann.lecun.com/exdb/mnist): light on black, scaled into a 20x20 box with its aspect kept, the box placed so
 * that the digit's centre of mass is the centre of 28x28.
 * @throws LockstepError `data` naming the file if there is no digit in it.
 */
export async function digitImage(picture: GreyImage, name: string): Promise<Uint8Array> {
  const ink = inkOf(picture);
  const box = ink === null ? null : contentBox(ink);
  if (ink === null || box === null) throw new LockstepError('data', `${name}: no digit found: the picture is of one shade`);
  return centreByMass(await scaleIntoBox(ink, box));
}

/** Light on black over the full range: the border's median is the background, what differs from it most is the ink. */
function inkOf({ pixels, width, height }: GreyImage): GreyImage | null {
  const border = borderOf(pixels, width, height).sort();
  const background = border[border.length >> 1]!;
  const isLight = background > 127;
  const above = (value: number) => Math.max(0, isLight ? background - value : value - background);
  const noise = above(border[Math.floor((border.length - 1) * (isLight ? 0.05 : 0.95))]!);
  const strongest = pixels.reduce((most, value) => Math.max(most, above(value)), 0);
  if (strongest < LEAST_CONTRAST) return null;
  const floor = Math.min(noise, strongest / 2);
  const scale = 255 / (strongest - floor);
  return { pixels: pixels.map((value) => Math.round(Math.max(0, above(value) - floor) * scale)), width, height };
}

function borderOf(pixels: Uint8Array, width: number, height: number): Uint8Array {
  return pixels.filter((_, index) => {
    const [x, y] = [index % width, Math.floor(index / width)];
    return x === 0 || y === 0 || x === width - 1 || y === height - 1;
  });
}

function contentBox({ pixels, width, height }: GreyImage): Box | null {
  let [left, top, right, bottom] = [width, height, -1, -1];
  pixels.forEach((value, index) => {
    if (value < FAINTEST_INK * 255) return;
    const [x, y] = [index % width, Math.floor(index / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  });
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

async function scaleIntoBox({ pixels, width, height }: GreyImage, box: Box): Promise<GreyImage> {
  const scale = DIGIT_SIDE / Math.max(box.width, box.height);
  const size = { width: Math.max(1, Math.round(box.width * scale)), height: Math.max(1, Math.round(box.height * scale)) };
  const { data, info } = await sharp(pixels, { raw: { width, height, channels: 1 } })
    .extract(box)
    .resize({ ...size, fit: 'fill', kernel: 'cubic' })
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { pixels: Uint8Array.from({ length: size.width * size.height }, (_, index) => data[index * info.channels]!), ...size };
}

function centreByMass({ pixels, width, height }: GreyImage): Uint8Array {
  const centre = centreOfMass(pixels, width);
  const left = placed(SIDE / 2 - centre.x, width);
  const top = placed(SIDE / 2 - centre.y, height);
  const out = new Uint8Array(SIDE * SIDE);
  for (let y = 0; y < height; y += 1) out.set(pixels.subarray(y * width, (y + 1) * width), (top + y) * SIDE + left);
  return out;
}

/** The corner nearest to the wish with the whole digit inside. */
const placed = (wish: number, size: number): number => Math.min(Math.max(Math.round(wish), 0), SIDE - size);

/** In pixels from the corner, a pixel's own centre at half. */
function centreOfMass(pixels: Uint8Array, width: number): { x: number; y: number } {
  let [mass, x, y] = [0, 0, 0];
  pixels.forEach((value, index) => {
    mass += value;
    x += value * ((index % width) + 0.5);
    y += value * (Math.floor(index / width) + 0.5);
  });
  return { x: x / mass, y: y / mass };
}
