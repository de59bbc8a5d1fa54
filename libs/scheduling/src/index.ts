export { assignEvenly, type Assignment } from './assignment.ts';
export { judgeEpoch, type BestEpoch, type EarlyStoppingRule, type EpochVerdict } from './early-stopping.ts';
export { dealParts, EVALUATION_PART_EXAMPLES, evaluationPartRange, numEvaluationParts } from './evaluation-parts.ts';
export { decideStart, describeMember, silentMembers, withActive, withHeard, withJoined, withLost, type Member, type Membership, type StartDecision } from './membership.ts';
export { endsEpoch, epochOfVersion, planRun, type RunPlan } from './run-plan.ts';
export { chooseNumerics, refusalOf } from './numerics-choice.ts';
