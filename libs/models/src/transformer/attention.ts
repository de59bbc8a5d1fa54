import type { Tensor } from '@tensorflow/tfjs';
import { dropoutOf } from './dropout.ts';
import { linearStage, type LinearSaved } from './linear.ts';
import { rotate, rotateBack } from './rotary.ts';
import type { Pass, Stage, StageContext } from './stage.ts';

/** Queries are scaled and grouped by the head of keys that serves them; `weights` are attention's, before dropout; `out` is what they pick. */
type CoreSaved = { readonly q: Tensor; readonly k: Tensor; readonly v: Tensor; readonly weights: Tensor; readonly out: Tensor };
export type AttentionSaved = { readonly core: CoreSaved; readonly linear: Record<'q' | 'k' | 'v' | 'o', LinearSaved> };

/** Causal self-attention (Vaswani et al. 2017) whose heads of keys and values may each serve several heads of queries (Ainslie et al. 2023). */
export function attentionStage(context: StageContext, block: number, name: string): Stage<AttentionSaved> {
  const { engine: { tf } } = context;
  const [q, k, v, o] = ['q', 'k', 'v', 'o'].map((which) => linearStage(context, `${name}.${which}_proj`)) as [Linear, Linear, Linear, Linear];
  const core = attentionCore(context, block);
  return {
    forward(pass, x) {
      const [query, key, value] = [q.forward(pass, x), k.forward(pass, x), v.forward(pass, x)];
      const picked = core.forward(pass, query.y, key.y, value.y);
      const out = o.forward(pass, picked.y);
      return { y: out.y, saved: { core: picked.saved, linear: { q: query.saved, k: key.saved, v: value.saved, o: out.saved } } };
    },
    backward(pass, { core: saved, linear }, dy, gradients) {
      const [dQuery, dKey, dValue] = core.backward(pass, saved, o.backward(pass, linear.o, dy, gradients));
      const [fromQuery, fromKey] = [q.backward(pass, linear.q, dQuery, gradients), k.backward(pass, linear.k, dKey, gradients)];
      return tf.addN([fromQuery, fromKey, v.backward(pass, linear.v, dValue, gradients)]);
    },
  };
}

type Linear = Stage<LinearSaved>;

/** Attention between its linear layers: queries, keys and values are `[n, heads * headWidth]`, and so is what it gives. */
function attentionCore(context: StageContext, block: number) {
  const { engine, engine: { tf }, kernels, architecture: { heads, keyValueHeads, headWidth } } = context;
  const dropout = dropoutOf(context, context.dropout);
  const scale = 1 / Math.sqrt(headWidth);
  const split = ({ numRows, rowLength }: Pass, x: Tensor): Tensor => tf.transpose(tf.reshape(x, [numRows, rowLength, -1, headWidth]), [0, 2, 1, 3]);
  const join = ({ numRows, rowLength }: Pass, x: Tensor): Tensor => {
    const byHead = tf.reshape(x, [numRows, -1, rowLength, headWidth]);
    return tf.reshape(tf.transpose(byHead, [0, 2, 1, 3]), [numRows * rowLength, -1]);
  };
  const group = ({ numRows, rowLength }: Pass, x: Tensor): Tensor => tf.reshape(x, [numRows, keyValueHeads, (heads / keyValueHeads) * rowLength, x.shape.at(-1)!]);
  const turn = ({ rotary }: Pass, x: Tensor): Tensor => (rotary === null ? x : rotate(engine, kernels, rotary, x));
  const turnBack = ({ rotary }: Pass, dy: Tensor): Tensor => (rotary === null ? dy : rotateBack(engine, kernels, rotary, dy));

  return {
    forward(pass: Pass, query: Tensor, key: Tensor, value: Tensor): { y: Tensor; saved: CoreSaved } {
      const q = group(pass, tf.mul(turn(pass, split(pass, query)), scale));
      const [newKeys, newValues] = [turn(pass, split(pass, key)), split(pass, value)];
      const [k, v] = pass.cache?.append(block, newKeys, newValues) ?? [newKeys, newValues];
      const scores = tf.reshape(tf.matMul(q, k, false, true), [pass.numRows, heads, pass.rowLength, -1]);
      const weights = kernels.softmax(tf.add(scores, pass.mask));
      const out = tf.matMul(group(pass, dropout(pass, weights)), v);
      return { y: join(pass, out), saved: { q, k, v, weights, out } };
    },
    /** The softmax's own gradient takes the sum of `dy * out` over a head in place of that over the keys, which is equal. */
    backward(pass: Pass, { q, k, v, weights, out }: CoreSaved, dy: Tensor): [dQuery: Tensor, dKey: Tensor, dValue: Tensor] {
      const dOut = group(pass, split(pass, dy));
      const dValues = tf.matMul(group(pass, dropout(pass, weights)), dOut, true, false);
      const dWeights = group(pass, dropout(pass, tf.reshape(tf.matMul(dOut, v, false, true), weights.shape)));
      const dScores = tf.mul(group(pass, weights), tf.sub(dWeights, tf.sum(tf.mul(dOut, out), -1, true)));
      const dQueries = tf.reshape(tf.mul(tf.matMul(dScores, k), scale), [pass.numRows, heads, pass.rowLength, headWidth]);
      const dKeys = tf.matMul(dScores, q, true, false);
      return [join(pass, turnBack(pass, dQueries)), join(pass, turnBack(pass, dKeys)), join(pass, dValues)];
    },
  };
}
