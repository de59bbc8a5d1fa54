import type { Tensor } from '@tensorflow/tfjs';
import { attentionStage, type AttentionSaved } from './attention.ts';
import { dropoutOf } from './dropout.ts';
import { feedForwardStage, type FeedForwardSaved } from './feed-forward.ts';
import { normStage, type NormSaved } from './norm.ts';
import type { Stage, StageContext } from './stage.ts';
import { blockName } from './tensor-names.ts';

export type BlockSaved = { readonly attention: BranchSaved<AttentionSaved>; readonly feedForward: BranchSaved<FeedForwardSaved> };
type BranchSaved<Inner> = { readonly norm: NormSaved; readonly inner: Inner };

/** A block of the Transformer: attention, then a feed-forward part, each on the normed residual stream and added to it. */
export function blockStage(context: StageContext, index: number): Stage<BlockSaved> {
  const name = blockName(index);
  const attention = residualBranch(context, normStage(context, `${name}.input_layernorm`), attentionStage(context, index, `${name}.self_attn`));
  const feedForward = residualBranch(context, normStage(context, `${name}.post_attention_layernorm`), feedForwardStage(context, `${name}.mlp`));
  return {
    forward(pass, x) {
      const attended = attention.forward(pass, x);
      const out = feedForward.forward(pass, attended.y);
      return { y: out.y, saved: { attention: attended.saved, feedForward: out.saved } };
    },
    backward: (pass, saved, dy, gradients) => attention.backward(pass, saved.attention, feedForward.backward(pass, saved.feedForward, dy, gradients), gradients),
  };
}

/** `x + dropout(inner(norm(x)))`. */
function residualBranch<Inner>(context: StageContext, norm: Stage<NormSaved>, inner: Stage<Inner>): Stage<BranchSaved<Inner>> {
  const { tf } = context.engine;
  const dropout = dropoutOf(context, context.dropout);
  return {
    forward(pass, x) {
      const normed = norm.forward(pass, x);
      const out = inner.forward(pass, normed.y);
      return { y: tf.add(x, dropout(pass, out.y)) as Tensor, saved: { norm: normed.saved, inner: out.saved } };
    },
    backward: (pass, saved, dy, gradients) => tf.add(dy, norm.backward(pass, saved.norm, inner.backward(pass, saved.inner, dropout(pass, dy), gradients), gradients)),
  };
}
