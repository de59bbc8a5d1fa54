import { LockstepError } from '@lockstep/core';
import type { EncodedSample } from '../rows/encoded-sample.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { ChatMessage } from './chat-template.ts';

export interface EncodedChat extends EncodedSample {
  /** The conversation as the template renders it. */
  readonly text: string;
}

/**
 * Encodes a conversation so that only answers count: the content of each assistant's message and the token that ends the turn. Each answer is
 * encoded apart from the prompt before it, as it is when the model writes it. Where the template has no such token, the end of text ends the
 * last answer. What follows the last answer is left out. Throws `data` where the template changes what it rendered before.
 */
export function encodeChat(tokenizer: Tokenizer, messages: readonly ChatMessage[]): EncodedChat {
  const tokens: number[] = [];
  const counts: boolean[] = [];
  let text = '';
  messages.forEach(({ role }, at) => {
    if (role !== 'assistant') return;
    const prompt = tokenizer.renderChat(messages.slice(0, at), { addGenerationPrompt: true });
    append(tokenizer.encode(continuation(text, prompt)), 0);
    text = tokenizer.renderChat(messages.slice(0, at + 1), { addGenerationPrompt: false });
    const answer = tokenizer.encode(continuation(prompt, text));
    const turn = answer.findLastIndex((id) => tokenizer.isEndOfTurn(id)) + 1;
    append(answer, turn === 0 ? answer.length : turn);
  });
  if (tokenizer.endOfText !== null && !tokens.some((token, at) => counts[at] && tokenizer.isEndOfTurn(token))) append([tokenizer.endOfText], 1);
  return { tokens, counts, text };

  function append(ids: readonly number[], numCounting: number): void {
    for (const [at, id] of ids.entries()) {
      tokens.push(id);
      counts.push(at < numCounting);
    }
  }
}

function continuation(before: string, after: string): string {
  if (after.startsWith(before)) return after.slice(before.length);
  throw new LockstepError('data', `the chat template renders the beginning of a conversation differently when it goes on: "${before.slice(-40)}" is not in "${after.slice(0, before.length).slice(-40)}"`, {
    hint: 'give a template that only appends, with --chat-template',
  });
}
