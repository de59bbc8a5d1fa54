import { z } from 'zod';
import { LockstepError } from '@lockstep/core';
import type { SampleRecord } from '../samples/records.ts';
import type { ChatMessage } from './chat-template.ts';

const chatSchema = z.object({ messages: z.array(z.object({ role: z.string(), content: z.string() })).min(1) });
const instructionSchema = z.object({ instruction: z.string(), input: z.string().nullish(), output: z.string() });
const completionSchema = z.object({ prompt: z.string(), completion: z.string() });

/** The fields that a conversation may have. */
export const CONVERSATION_FIELDS = ['messages', 'instruction', 'input', 'output', 'prompt', 'completion'] as const;

const HINT = 'a sample is {messages: [{role, content}, …]}, {instruction, input?, output} or {prompt, completion}';

/** The messages of a sample of chat or instruction data. Throws `data` naming the place and the field. */
export function conversationOf({ fields, origin }: SampleRecord): readonly ChatMessage[] {
  const messages = messagesOf(fields, origin);
  if (messages.some(({ role }) => role === 'assistant')) return messages;
  throw new LockstepError('data', `${origin}: no message of the role "assistant", so nothing to learn from`, { hint: HINT });
}

function messagesOf(fields: SampleRecord['fields'], origin: string): readonly ChatMessage[] {
  if (fields['messages'] != null) return parse(chatSchema, fields, origin).messages;
  if (fields['instruction'] != null) {
    const { instruction, input, output } = parse(instructionSchema, fields, origin);
    return exchange(input ? `${instruction}\n\n${input}` : instruction, output);
  }
  if (fields['prompt'] != null) {
    const { prompt, completion } = parse(completionSchema, fields, origin);
    return exchange(prompt, completion);
  }
  throw new LockstepError('data', `${origin}: has the fields ${Object.keys(fields).join(', ') || 'none'}, expected messages, instruction or prompt`, { hint: HINT });
}

const exchange = (question: string, answer: string): readonly ChatMessage[] => [{ role: 'user', content: question }, { role: 'assistant', content: answer }];

function parse<T>(schema: z.ZodType<T>, fields: SampleRecord['fields'], origin: string): T {
  const { success, data, error } = schema.safeParse(fields);
  if (success) return data;
  const { path, message } = error.issues[0]!;
  throw new LockstepError('data', `${origin}: field "${path.join('.')}": ${message}`, { cause: error, hint: HINT });
}
