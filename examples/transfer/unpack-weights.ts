import { join } from 'node:path';
import { writeNsfwjsModel } from '@lockstep/pretrained';

/** From the unpacked npm package `nsfwjs` beside this file to `mobilenet-v2/model.json`. */
await writeNsfwjsModel(join(import.meta.dirname, 'package'), join(import.meta.dirname, 'mobilenet-v2'));
