import { z } from 'zod';

/** A special token as it is, or with how it is matched. */
const specialToken = z.union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)]).nullish().transform((token) => token ?? null);

const namedTemplates = z.array(z.object({ name: z.string(), template: z.string() })).transform((templates) => templates.find(({ name }) => name === 'default')?.template ?? templates[0]?.template);

/** The fields of Hugging Face's `tokenizer_config.json` that count here; the tokenizers library reads others. */
export const tokenizerConfigSchema = z.looseObject({
  bos_token: specialToken,
  eos_token: specialToken,
  pad_token: specialToken,
  unk_token: specialToken,
  chat_template: z.union([z.string(), namedTemplates]).nullish(),
});

export type TokenizerConfig = z.output<typeof tokenizerConfigSchema>;

/** What ends an answer in the templates in use: ChatML, Llama 3, Gemma, Phi. */
export const ENDS_OF_TURN: readonly string[] = ['<|im_end|>', '<|eot_id|>', '<end_of_turn>', '<|end|>', '<|endofturn|>'];
/** What ends a document where no config says so, or says the end of a turn. */
export const ENDS_OF_TEXT: readonly string[] = ['<|endoftext|>', '<|end_of_text|>', '</s>', '<eos>'];

/** The token that ends a document: that of the config, except where a chat model's config names the end of a turn and there is another. */
export function chooseEndOfText(config: TokenizerConfig, has: (token: string) => boolean): string | null {
  const { eos_token: own } = config;
  if (own !== null && !ENDS_OF_TURN.includes(own) && has(own)) return own;
  return ENDS_OF_TEXT.find(has) ?? (own !== null && has(own) ? own : null);
}
