import { readDocuments } from '../samples/documents.ts';
import { TextPieces } from '../samples/text-pieces.ts';
import { TokenFileWriter } from '../token-file/token-file-writer.ts';
import { emptyTally, finishJob, tokenizerFields, type TokenizeJob, type TokenizeSummary } from './tokenize-job.ts';

/** Writes documents one after the other, each ended by the end of text where the tokenizer has one. Throws `data`, `not-found` or `storage`. */
export async function tokenizeStream(job: TokenizeJob): Promise<TokenizeSummary> {
  const { tokenizer } = job;
  using writer = new TokenFileWriter(job.out, { ...tokenizerFields(tokenizer), layout: 'stream', rowLength: null, classNames: null, padding: null });
  const pieces = new TextPieces((text) => tokenizer.encode(text));
  const tally = emptyTally();
  for await (const { text, endsDocument } of readDocuments(job)) {
    tally.textBytes += Buffer.byteLength(text);
    for (const piece of pieces.push(text)) writer.appendTokens(tokenizer.encode(piece));
    if (endsDocument) endDocument();
  }
  tally.numTokens = writer.numTokens;
  return await finishJob(job, writer, writer.numTokens, tally);

  function endDocument(): void {
    for (const piece of pieces.end()) writer.appendTokens(tokenizer.encode(piece));
    if (tokenizer.endOfText !== null) writer.appendTokens([tokenizer.endOfText]);
    tally.numDocuments += 1;
  }
}
