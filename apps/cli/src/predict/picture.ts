import { LockstepError, messageOf } from '@lockstep/core';
import type { ImageShape } from '@lockstep/data';
import sharp from 'sharp';
import { digitImage, type GreyImage } from './digit-image.ts';

/**
 * A picture as the model's images are, `[height, width, channels]` bytes. A grey 28x28 model is one of digits: the picture
 * is made into a digit as MNIST's were; for any other the picture is only resized.
 * @throws LockstepError `not-found` or `data`, naming the file.
 */
export async function readPicture(path: string, shape: ImageShape): Promise<Uint8Array> {
  const isDigit = shape.height === 28 && shape.width === 28 && shape.channels === 1;
  return isDigit ? digitImage(await readGrey(path), path) : readResized(path, shape);
}

async function readGrey(path: string): Promise<GreyImage> {
  return decode(path, async () => {
    const { data, info } = await sharp(path).rotate().flatten({ background: '#ffffff' }).greyscale().raw().toBuffer({ resolveWithObject: true });
    return { pixels: firstChannel(data, info.channels), width: info.width, height: info.height };
  });
}

async function readResized(path: string, { width, height, channels }: ImageShape): Promise<Uint8Array> {
  return decode(path, async () => {
    const image = sharp(path).rotate().flatten({ background: '#ffffff' }).resize(width, height, { fit: 'fill' });
    const { data, info } = await (channels === 1 ? image.greyscale() : image.toColourspace('srgb')).raw().toBuffer({ resolveWithObject: true });
    return channels === 1 ? firstChannel(data, info.channels) : new Uint8Array(data);
  });
}

/** The first of `channels` interleaved values of each pixel. */
function firstChannel(data: Uint8Array, channels: number): Uint8Array {
  return Uint8Array.from({ length: data.length / channels }, (_, index) => data[index * channels]!);
}

async function decode<Result>(path: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (cause) {
    const isMissing = messageOf(cause).includes('Input file is missing');
    throw new LockstepError(isMissing ? 'not-found' : 'data', isMissing ? `no picture at ${path}` : `${path}: not a picture: ${messageOf(cause)}`, { cause });
  }
}
