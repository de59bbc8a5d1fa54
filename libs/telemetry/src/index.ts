export { createJsonLines } from './json-lines.ts';
export { createMetricsFile, reopenMetricsFile } from './metrics-file.ts';
export { createPlainLog } from './plain-log.ts';
export { createRunHistory, type RunHistory } from './run-history.ts';
export { fanOut, type RunEventSink } from './run-event-sink.ts';
export { createTensorBoard } from './tensorboard/tensor-board.ts';
export { createTerminalProgress } from './terminal-progress.ts';
export { renderReport } from './report/render-report.ts';
export type { ClassificationInput, ReportImage, ReportInput } from './report/report-input.ts';
