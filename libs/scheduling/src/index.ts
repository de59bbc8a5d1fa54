export { assignBySpeed, planAssignment, takeOver, type Assignment, type AssignmentDecision, type AssignmentState } from './assignment.ts';
export { Backoff } from './backoff.ts';
export { isCheckpointVersion } from './checkpoint-plan.ts';
export { judgeEpoch, type BestEpoch, type EarlyStoppingRule, type EpochVerdict } from './early-stopping.ts';
export { dealParts, evaluationPartRange, numEvaluationParts, redealParts, sizeOfImages, sizeOfRows, type EvaluationSize } from './evaluation-parts.ts';
export {
  activeRanks, decideStart, describeMember, isPresent, memberOf, presentMembers, silentMembers, withActive, withAllHeard, withHeard, withJoined, withLeaving, withLeft,
  withLost, withRejoined, type Member, type Membership, type PresentMember, type StartDecision,
} from './membership.ts';
export { microBatchesIn } from './node-lists.ts';
export { chooseNumerics, refusalOf } from './numerics-choice.ts';
export { afterHostLoss, hostsForShards, missingReplicas, placeShards, type HostLossDecision, type PlacementHost, type PlacementRequest, type ShardPlacement } from './placement.ts';
export { checkpointsToRemove } from './retention.ts';
export { endsEpoch, epochOfVersion, planRun, type RunPlan } from './run-plan.ts';
export { withLate, withoutRank, withShares, type Share, type Speeds } from './speeds.ts';
export { withNext, withoutPast, type FromStep } from './standing.ts';
export { explainStep } from './step-explanation.ts';
export { stepInFlight, type Given, type ShardCoverage, type StepClock, type StepState, type WaitingShard } from './step-state.ts';
export { decideExtras, watchStep, type ExtrasDecision, type WatchDecision } from './step-watch.ts';
export { planRelays, ranksByHost, type Relay } from './relays.ts';
