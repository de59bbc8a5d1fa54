import { readFileSync } from 'node:fs';
import { LockstepError, messageOf } from '@lockstep/core';
import type { InputFormat } from '@lockstep/text';

/** The flags of `lockstep data tokenize`. */
export interface TokenizeFlags {
  readonly out: string;
  readonly tokenizer?: string;
  readonly trainBpe?: number;
  readonly format: InputFormat | 'auto';
  readonly field: string;
  readonly rowLength?: number;
  readonly chat?: true;
  readonly chatTemplate?: string;
  readonly labels?: string;
}

/** What is made of the text. */
export type TokenizeKind =
  | { readonly kind: 'stream' }
  | { readonly kind: 'documents' | 'chats'; readonly rowLength: number }
  | { readonly kind: 'labelled'; readonly rowLength: number; readonly labelField: string };

/** Throws `usage` where flags contradict each other or one is missing. */
export function kindOf({ chat, labels, rowLength, chatTemplate, tokenizer, trainBpe }: TokenizeFlags): TokenizeKind {
  if (tokenizer !== undefined && trainBpe !== undefined) throw new LockstepError('usage', '--tokenizer and --train-bpe: one tokenizer is either there or trained');
  if (chat && labels !== undefined) throw new LockstepError('usage', '--chat and --labels: a sample is either a conversation or a text with a label');
  if (chatTemplate !== undefined && !chat) throw new LockstepError('usage', '--chat-template without --chat');
  if (labels !== undefined) return { kind: 'labelled', labelField: labels, rowLength: requireRowLength('--labels', rowLength) };
  if (chat) return { kind: 'chats', rowLength: requireRowLength('--chat', rowLength) };
  return rowLength === undefined ? { kind: 'stream' } : { kind: 'documents', rowLength };
}

function requireRowLength(flag: string, rowLength: number | undefined): number {
  if (rowLength !== undefined) return rowLength;
  throw new LockstepError('usage', `${flag} without --row-length`, { hint: "rows of 512 tokens, for instance, and at most the model's contextLength: --row-length 512" });
}

/** The text of `--chat-template`. */
export function readChatTemplate(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new LockstepError('not-found', `--chat-template ${file}: ${messageOf(cause)}`, { cause });
  }
}
