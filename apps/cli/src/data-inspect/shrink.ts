import type { ImageShape } from '@lockstep/data';
import sharp, { type Sharp } from 'sharp';

export interface Picture extends ImageShape {
  readonly pixels: Uint8Array;
}

/** The picture with its longer side at most `side` pixels. */
export async function shrink(pixels: Uint8Array, shape: ImageShape, side: number): Promise<Picture> {
  const factor = Math.min(1, side / Math.max(shape.height, shape.width));
  if (factor === 1) return { pixels, ...shape };
  const [height, width] = [shape.height, shape.width].map((length) => Math.max(1, Math.round(length * factor))) as [number, number];
  const small = await sharpOf(pixels, shape).resize(width, height, { fit: 'fill' }).toColourspace(shape.channels === 1 ? 'b-w' : 'srgb').raw().toBuffer();
  return { pixels: small, height, width, channels: shape.channels };
}

/** The picture as PNG, `factor` times as large, each pixel a square. */
export async function enlargedPng(pixels: Uint8Array, shape: ImageShape, factor: number): Promise<Buffer> {
  return sharpOf(pixels, shape).resize(shape.width * factor, shape.height * factor, { kernel: 'nearest', fit: 'fill' }).png().toBuffer();
}

function sharpOf(pixels: Uint8Array, { height, width, channels }: ImageShape): Sharp {
  return sharp(pixels, { raw: { height, width, channels: channels === 3 ? 3 : 1 } });
}
