import { writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import sharp from 'sharp';
import { LockstepError, messageOf } from '@lockstep/core';
import type { Inspection } from './inspection.ts';
import { drawInspection } from './picture.ts';

/** Twice as many pixels as the drawing has units, for sharp text. */
const DENSITY = 2 * 72;

/** A name that says neither is a `usage` error. */
export function requirePictureName(file: string): '.png' | '.svg' {
  const ending = extname(file).toLowerCase();
  if (ending === '.png' || ending === '.svg') return ending;
  throw new LockstepError('usage', `--out is ${file}, expected a name that ends in .png or .svg`);
}

/** Writes the picture as the file's name says and returns the line that says so. */
export async function writePicture(inspection: Inspection, file: string): Promise<string> {
  const ending = requirePictureName(file);
  const svg = await drawInspection(inspection);
  const content = ending === '.svg' ? svg : await rasterise(svg);
  await writeFile(file, content).catch((error: unknown) => {
    throw new LockstepError('usage', `${file}: cannot be written: ${messageOf(error)}`, { cause: error });
  });
  const withoutText = ending === '.png' && !(await hasFonts());
  return withoutText ? `wrote ${file}, without text: this machine has no fonts (install fonts-dejavu-core, or write an .svg)` : `wrote ${file}`;
}

function rasterise(svg: string): Promise<Buffer> {
  return sharp(Buffer.from(svg), { density: DENSITY }).png().toBuffer();
}

/** Without any font every letter looks the same. */
async function hasFonts(): Promise<boolean> {
  const [narrow, wide] = await Promise.all(['i', 'W'].map((letter) =>
    sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24"><text y="20" font-size="20">${letter}</text></svg>`)).raw().toBuffer()));
  return !narrow!.equals(wide!);
}
