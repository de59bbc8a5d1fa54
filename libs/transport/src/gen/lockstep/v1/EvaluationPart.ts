// Original file: proto/lockstep/v1/coordinator.proto


export interface EvaluationPart {
  'evaluation'?: (number);
  'part'?: (number);
  'lossSum'?: (number | string);
  'numCorrect'?: (number);
  'probabilities'?: (Buffer | Uint8Array | string);
  'numExamples'?: (number);
}

export interface EvaluationPart__Output {
  'evaluation': (number);
  'part': (number);
  'lossSum': (number);
  'numCorrect': (number);
  'probabilities': (Buffer);
  'numExamples': (number);
}
