import { LockstepError, messageOf } from '@lockstep/core';
import { conversationOf, CONVERSATION_FIELDS } from '../chat/conversation.ts';
import { encodeChat } from '../chat/encode-chat.ts';
import type { EncodedSample } from '../rows/encoded-sample.ts';
import { RowPacker, type PackedRow } from '../rows/row-packer.ts';
import { readDocuments } from '../samples/documents.ts';
import { readRecords, type SampleRecord } from '../samples/records.ts';
import { TextPieces } from '../samples/text-pieces.ts';
import { TOKEN_FLAGS } from '../token-file/token-file-header.ts';
import { TokenFileWriter } from '../token-file/token-file-writer.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { emptyTally, finishJob, tokenizerFields, type TokenizeJob, type TokenizeSummary } from './tokenize-job.ts';

export interface RowsJob extends TokenizeJob {
  readonly rowLength: number;
}

interface SampleOfText extends EncodedSample {
  readonly textBytes: number;
}

/** Packs conversations into rows, of which only the answers count. Throws `data`, `not-found` or `storage`. */
export function tokenizeChats(job: RowsJob): Promise<TokenizeSummary> {
  return packSamples(job, encodeConversations(job));
}

/** Packs documents into rows, each whole in one row; all of their tokens count. Throws `data`, `not-found` or `storage`. */
export function tokenizeDocuments(job: RowsJob): Promise<TokenizeSummary> {
  return packSamples(job, encodeDocuments(job));
}

async function packSamples(job: RowsJob, samples: AsyncIterable<SampleOfText>): Promise<TokenizeSummary> {
  const { tokenizer, rowLength } = job;
  const { padding } = tokenizer;
  using writer = new TokenFileWriter(job.out, { ...tokenizerFields(tokenizer), layout: 'rows', rowLength, classNames: null, padding });
  const tally = emptyTally();
  let counted = 0;
  const packer = new RowPacker({ rowLength, padding }, writeRow);
  for await (const sample of samples) {
    tally.numDocuments += 1;
    tally.textBytes += sample.textBytes;
    tally.numTokens += Math.min(sample.tokens.length, rowLength);
    if (packer.add(sample)) tally.numCut += 1;
  }
  packer.finish();
  return await finishJob(job, writer, counted, tally);

  function writeRow({ tokens, flags }: PackedRow): void {
    writer.appendTokens(tokens);
    writer.appendFlags(flags);
    for (const flag of flags) if ((flag & TOKEN_FLAGS.counts) !== 0) counted += 1;
  }
}

async function* encodeConversations(job: RowsJob): AsyncGenerator<SampleOfText> {
  for await (const record of readRecords(job, CONVERSATION_FIELDS)) {
    job.signal?.throwIfAborted();
    yield encodeConversation(job.tokenizer, record);
  }
}

function encodeConversation(tokenizer: Tokenizer, record: SampleRecord): SampleOfText {
  const messages = conversationOf(record);
  try {
    const { text, ...sample } = encodeChat(tokenizer, messages);
    return { ...sample, textBytes: Buffer.byteLength(text) };
  } catch (cause) {
    throw new LockstepError('data', `${record.origin}: ${messageOf(cause)}`, { cause, ...(cause instanceof LockstepError && cause.hint !== undefined ? { hint: cause.hint } : {}) });
  }
}

async function* encodeDocuments(job: RowsJob): AsyncGenerator<SampleOfText> {
  const { tokenizer, rowLength } = job;
  const pieces = new TextPieces((text) => tokenizer.encode(text));
  let [tokens, textBytes]: [number[], number] = [[], 0];
  for await (const { text, endsDocument } of readDocuments(job)) {
    for (const piece of [...pieces.push(text), ...(endsDocument ? pieces.end() : [])]) {
      // One token more than a row has says that the document is cut.
      if (tokens.length > rowLength) continue;
      tokens = tokens.concat(tokenizer.encode(piece));
      textBytes += Buffer.byteLength(piece);
    }
    if (!endsDocument) continue;
    if (tokenizer.endOfText !== null) tokens.push(tokenizer.endOfText);
    yield { tokens, counts: tokens.map(() => true), textBytes };
    [tokens, textBytes] = [[], 0];
  }
}
