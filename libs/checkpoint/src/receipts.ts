import type { Numerics, ParameterWireConfig, WireConfig } from '@lockstep/core';

/** One JSON line a record. The first says what the run is, the last how it ended; between them a line a step. */
export type Receipt = RunReceipt | StepReceipt | EndReceipt;

export interface RunReceipt {
  readonly kind: 'run';
  readonly formatVersion: 1;
  readonly configSha256: string;
  readonly numerics: Numerics;
  readonly seed: number;
  /** The form in which gradients were added up and travelled. */
  readonly wire: WireConfig;
  /** The form in which workers saw the parameters. */
  readonly parameterWire: ParameterWireConfig;
  /** Elements of the flat vector, buffers included. */
  readonly parameters: number;
}

export interface StepReceipt {
  readonly kind: 'step';
  readonly step: number;
  /** The parameters' version after the step. */
  readonly version: number;
  /** Mean over the global batch; JSON numbers carry every bit of a 64-bit float. */
  readonly loss: number;
  readonly accuracy?: number;
  readonly numExamples: number;
  readonly numCorrect: number;
  readonly lossSum: number;
  /** Micro-batches whose loss or gradient was no number, where there were any: the step changed nothing. */
  readonly numNonFinite?: number;
  /** Of each micro-batch's gradient, in order, 8 hexadecimal digits each; empty where none were taken. */
  readonly digests: string;
  /** Of the flat vector after the step, or null where it was not taken. */
  readonly parametersSha256: string | null;
}

export interface EndReceipt {
  readonly kind: 'end';
  readonly version: number;
  readonly parametersSha256: string;
}

/** A last line that was cut off while it was written. */
export interface TornLine {
  readonly kind: 'torn';
  readonly line: number;
  readonly text: string;
}

export type ReceiptLine = Receipt | TornLine;
