import { closeSync, fstatSync, openSync } from 'node:fs';
import { LockstepError } from '@lockstep/core';
import { fileError } from '../samples/file-error.ts';
import { readExactly } from './read-exactly.ts';
import { OpenTokenFile, type TokenFile } from './token-file.ts';
import { decodeHeader, MAGIC, MAX_HEADER_BYTES, PREAMBLE_BYTES, sectionsOf } from './token-file-header.ts';

const HINT = 'lockstep data tokenize makes token files of text';

/** Opens a token file and checks its header and its size. Throws `not-found` or `data`, naming the file. */
export function openTokenFile(path: string): TokenFile {
  const descriptor = openFile(path);
  try {
    return readHeader(path, descriptor);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw fileError(path, error);
  }
}

function readHeader(path: string, descriptor: number): TokenFile {
  const fileBytes = fstatSync(descriptor).size;
  const headerBytes = readPreamble(path, descriptor, fileBytes);
  const header = decodeHeader(path, Buffer.from(readExactly(path, descriptor, headerBytes, PREAMBLE_BYTES)).toString());
  const sections = sectionsOf(header, headerBytes);
  if (fileBytes !== sections.end) throw new LockstepError('data', `${path}: ${fileBytes} bytes, expected ${sections.end} by its header: truncated or damaged`);
  return new OpenTokenFile(path, descriptor, header, sections);
}

/** The length of the header. */
function readPreamble(path: string, descriptor: number, fileBytes: number): number {
  if (fileBytes < PREAMBLE_BYTES) throw new LockstepError('data', `${path}: ${fileBytes} bytes, too short for a token file`, { hint: HINT });
  const preamble = Buffer.from(readExactly(path, descriptor, PREAMBLE_BYTES, 0));
  if (preamble.toString('latin1', 0, MAGIC.length) !== MAGIC) throw new LockstepError('data', `${path}: not a token file, for it does not begin with ${MAGIC}`, { hint: HINT });
  const headerBytes = preamble.readUInt32LE(MAGIC.length);
  if (headerBytes <= Math.min(MAX_HEADER_BYTES, fileBytes - PREAMBLE_BYTES)) return headerBytes;
  throw new LockstepError('data', `${path}: a header of ${headerBytes} bytes in a file of ${fileBytes}: truncated or damaged`);
}
