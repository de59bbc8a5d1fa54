export { writeNsfwjsModel } from './nsfwjs-model.ts';
