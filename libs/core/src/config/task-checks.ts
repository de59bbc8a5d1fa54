import { isBackbone, type BackboneConfig } from './backbone-config.ts';
import type { DataConfig } from './data-config.ts';
import { isLanguageModel, type LossConfig, type ModelConfig } from './model-config.ts';

/** What a config says of its task. */
export interface TaskFields {
  readonly data: DataConfig;
  readonly model: ModelConfig;
  readonly loss: LossConfig;
  readonly initFrom: string | null;
}

export interface TaskMistake {
  readonly path: readonly string[];
  readonly message: string;
  readonly input: unknown;
}

/** What images have and tokens have not, with what it is where nothing is said. */
const OF_IMAGES = { rejectBlank: false, rejectDuplicates: false, limit: 0, scale: 'unit', resize: null, channels: 1, reshape: null, augmentation: null } as const;

/** Where data, model and loss do not fit each other. */
export function taskMistakes(fields: TaskFields): TaskMistake[] {
  const { model, data } = fields;
  return [...(isBackbone(model) ? pixelMistakes(model, data) : []), ...kindMistakes(fields)];
}

/** A backbone knows what its pixels mean only where they come as they are, or divided by 255. */
function pixelMistakes({ kind }: BackboneConfig, { scale, channels }: DataConfig): TaskMistake[] {
  return [
    ...(scale === 'standard' ? [{ path: ['data', 'scale'], message: `none or unit: a model of kind ${kind} brings the pixels to its own range`, input: scale }] : []),
    ...(channels === 3 ? [] : [{ path: ['data', 'channels'], message: `3, the colours that a model of kind ${kind} reads`, input: channels }]),
  ];
}

function kindMistakes({ data, model, loss, initFrom }: TaskFields): TaskMistake[] {
  const isTokens = data.source.kind === 'tokens';
  if (isTokens !== isLanguageModel(model)) {
    return [{ path: ['model', 'kind'], message: isTokens ? 'a transformer or pretrained model for data of tokens' : 'a model of images, or data of tokens (--data tokens:FILE)', input: model.kind }];
  }
  const mistakes: TaskMistake[] = [];
  if (isTokens) {
    for (const [field, unsaid] of Object.entries(OF_IMAGES)) {
      const input = data[field as keyof typeof OF_IMAGES];
      if (input !== unsaid) mistakes.push({ path: ['data', field], message: 'nothing for data of tokens', input });
    }
    if (initFrom !== null) mistakes.push({ path: ['initFrom'], message: 'none for data of tokens: a pretrained model is named by model.path', input: initFrom });
    if (loss.kind !== 'crossEntropy' || !loss.fromLogits || loss.labelSmoothing > 0) mistakes.push({ path: ['loss'], message: 'cross-entropy of logits without smoothing for data of tokens', input: loss.kind });
  }
  return model.kind === 'transformer' ? [...mistakes, ...transformerMistakes(model, data)] : mistakes;
}

function transformerMistakes(model: Extract<ModelConfig, { kind: 'transformer' }>, { source }: DataConfig): TaskMistake[] {
  const { width, heads, keyValueHeads, contextLength, positions } = model;
  const mistakes: TaskMistake[] = [];
  if (width % heads !== 0) mistakes.push({ path: ['model', 'heads'], message: `a divisor of model.width (${width})`, input: heads });
  else if (positions === 'rotary' && (width / heads) % 2 !== 0) mistakes.push({ path: ['model', 'heads'], message: `heads of an even width for rotary positions (${width} / ${heads})`, input: heads });
  if (keyValueHeads !== null && heads % keyValueHeads !== 0) mistakes.push({ path: ['model', 'keyValueHeads'], message: `a divisor of model.heads (${heads})`, input: keyValueHeads });
  if (source.kind === 'tokens' && source.rowLength > contextLength) mistakes.push({ path: ['data', 'source', 'rowLength'], message: `at most model.contextLength (${contextLength})`, input: source.rowLength });
  return mistakes;
}
