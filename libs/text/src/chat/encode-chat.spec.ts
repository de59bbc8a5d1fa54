import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { trainedTokenizer } from '../testing/trained-tokenizer.ts';
import { openTokenizer } from '../tokenizer/open-tokenizer.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { ChatMessage } from './chat-template.ts';
import { conversationOf } from './conversation.ts';
import { encodeChat } from './encode-chat.ts';

const content = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constantFrom('\nthe cat', 'the mats\n\n', ' 你好😀 '));
const conversations = fc.array(fc.tuple(content, content), { minLength: 1, maxLength: 4 })
  .map((turns) => turns.flatMap(([question, answer]): ChatMessage[] => [{ role: 'user', content: question }, { role: 'assistant', content: answer }]));

/** The runs of counted tokens, decoded. */
function countedTexts(tokenizer: Tokenizer, messages: readonly ChatMessage[]): string[] {
  const { tokens, counts } = encodeChat(tokenizer, messages);
  const runs: number[][] = [];
  counts.forEach((counted, at) => {
    if (counted && !counts[at - 1]) runs.push([]);
    if (counted) runs.at(-1)!.push(tokens[at]!);
  });
  return runs.map((run) => tokenizer.decode(run));
}

const answersOf = (messages: readonly ChatMessage[]): string[] => messages.filter(({ role }) => role === 'assistant').map((message) => message.content);

describe('a conversation', () => {
  it("counts the assistant's words and the end of each turn, token for token", () => {
    using directory = temporaryDirectory();
    const tokenizer = trainedTokenizer(directory);
    fc.assert(fc.property(conversations, (messages) => {
      expect(countedTexts(tokenizer, messages)).toEqual(answersOf(messages).map((answer) => `${answer}<|im_end|>`));
      const { tokens, text } = encodeChat(tokenizer, messages);
      expect(tokenizer.decode(tokens)).toBe(text);
      expect(text).toBe(tokenizer.renderChat(messages, { addGenerationPrompt: false }));
    }), { seed: 9 });
  });

  it('is rendered by the template that is given', () => {
    using directory = temporaryDirectory();
    const chatTemplate = '{% for m in messages %}{% if m.role == "user" %}Q:{{ m.content }} A:{% else %}{{ m.content }}{{ eos_token }}{% endif %}{% endfor %}';
    const messages = [{ role: 'user', content: 'the cat?' }, { role: 'assistant', content: ' sat' }, { role: 'user', content: 'thanks' }];
    const tokenizer = trainedTokenizer(directory, { chatTemplate });
    expect(countedTexts(tokenizer, messages)).toEqual([' sat<|endoftext|>']);
    expect(encodeChat(tokenizer, messages).text).toBe('Q:the cat? A: sat<|endoftext|>');
  });

  it('ends with the end of text where the template has no token that ends a turn', () => {
    const tokenizer = openTokenizer('bytes', { chatTemplate: '{% for m in messages %}{{ m.content }}|{% endfor %}' });
    const { tokens, counts } = encodeChat(tokenizer, [{ role: 'user', content: 'q' }, { role: 'assistant', content: 'a' }]);
    expect(tokens).toEqual([...Buffer.from('q|a|'), 256]);
    expect(counts).toEqual([false, false, true, true, true]);
  });

  it('whose template changes what it rendered is refused', () => {
    const tokenizer = openTokenizer('bytes', { chatTemplate: '{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}' });
    expect(() => encodeChat(tokenizer, [{ role: 'user', content: 'q' }, { role: 'assistant', content: 'a' }])).toThrow(/renders the beginning of a conversation differently/);
  });
});

describe('a sample', () => {
  const origin = 'a.jsonl, line 4';

  it.each([
    [{ messages: [{ role: 'system', content: 's', name: 'x' }, { role: 'assistant', content: 'a' }] }, [['system', 's'], ['assistant', 'a']]],
    [{ instruction: 'do', output: 'done' }, [['user', 'do'], ['assistant', 'done']]],
    [{ instruction: 'do', input: 'this', output: 'done' }, [['user', 'do\n\nthis'], ['assistant', 'done']]],
    [{ prompt: 'p', completion: 'c', messages: null }, [['user', 'p'], ['assistant', 'c']]],
  ])('%j is a conversation', (fields, expected) => {
    expect(conversationOf({ fields, origin }).map(({ role, content: words }) => [role, words])).toEqual(expected);
  });

  it.each([
    [{ messages: [{ role: 'user', content: 5 }] }, /a\.jsonl, line 4: field "messages\.0\.content": .*expected string/],
    [{ messages: [{ role: 'user', content: 'q' }] }, /line 4: no message of the role "assistant"/],
    [{ instruction: 'do' }, /line 4: field "output": .*expected string/],
    [{ text: 'x' }, /line 4: has the fields text, expected messages, instruction or prompt/],
  ])('%j is none', (fields, message) => {
    expect(() => conversationOf({ fields, origin })).toThrow(message);
  });
});
