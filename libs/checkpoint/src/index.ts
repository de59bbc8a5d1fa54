export { writeFileAtomically, replaceDirectory, type FileContents } from './atomic-file.ts';
export { writeLayersModel, readLayersModel, type SavedLayersModel } from './layers-model.ts';
export { createReceiptWriter, type ReceiptWriter } from './receipt-writer.ts';
export { compareReceipts, type ReceiptComparison, type ReceiptDifference } from './receipt-comparison.ts';
export { readReceipts } from './receipt-reader.ts';
export type { EndReceipt, Receipt, ReceiptLine, RunReceipt, StepReceipt, TornLine } from './receipts.ts';
export { compareTensors, type TensorDifference } from './tensor-comparison.ts';
export { createRunDirectory, openRunDirectory, type RunDirectory } from './run-directory.ts';
export { decodeSafetensors, encodeSafetensors, flatFromTensors, type NamedTensor, type Safetensors } from './safetensors.ts';
