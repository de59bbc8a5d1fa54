import { Template } from '@huggingface/jinja';
import { LockstepError, messageOf } from '@lockstep/core';

export interface ChatMessage {
  /** `system`, `user`, `assistant`, or another that the template knows. */
  readonly role: string;
  readonly content: string;
}

export interface RenderChatOptions {
  /** Whether the text goes on with the beginning of an answer, for the model to go on. */
  readonly addGenerationPrompt: boolean;
}

/** OpenAI's ChatML, which most open chat models use or vary. */
const CHATML = `{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;

/** Renders conversations by a Jinja template, null for ChatML, which is given the tokenizer's special tokens as `bos_token`, `eos_token` and so on. */
export function createChatRenderer(template: string | null, specialTokens: Readonly<Record<string, string>>) {
  let compiled: Template | null = null;
  return (messages: readonly ChatMessage[], { addGenerationPrompt }: RenderChatOptions): string => {
    try {
      compiled ??= new Template(template ?? CHATML);
      return compiled.render({ ...specialTokens, messages, add_generation_prompt: addGenerationPrompt });
    } catch (cause) {
      throw new LockstepError('data', `the chat template does not take this conversation: ${messageOf(cause)}`, { cause });
    }
  };
}
