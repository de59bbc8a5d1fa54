export { splitRows, type Range, type RowSplits } from './split-rows.ts';
export { openTokenFile } from './token-file/open-token-file.ts';
export type { LabelledRows, TokenFile, TokenRows } from './token-file/token-file.ts';
export { TOKEN_FLAGS, type TokenFileHeader, type TokenLayout } from './token-file/token-file-header.ts';
export { TokenFileWriter, type TokenFileDescription, type WrittenTokenFile } from './token-file/token-file-writer.ts';
export type { ChatMessage, RenderChatOptions } from './chat/chat-template.ts';
export { openTokenizer, type TokenizerOptions } from './tokenizer/open-tokenizer.ts';
export type { StreamDecoder, Tokenizer } from './tokenizer/tokenizer.ts';
