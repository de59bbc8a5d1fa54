import { bytesOf, sha256 } from '@lockstep/core';
import { describe, expect, it } from 'vitest';
import { initialValues } from './initial-values.ts';

const DEPTH = 8;
const draw = (name: string, shape: readonly number[], seed = 1, index = 3): Float32Array => initialValues({ name, shape }, index, DEPTH, seed);
const deviation = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

describe('initial values', () => {
  it('are normal as those of GPT-2, smaller where they lead onto the residual stream', () => {
    expect(deviation(draw('model.layers.0.mlp.up_proj.weight', [101, 99]))).toBeCloseTo(0.02, 3);
    expect(deviation(draw('model.layers.0.mlp.down_proj.weight', [101, 99]))).toBeCloseTo(0.02 / 4, 4);
    const values = draw('model.embed_tokens.weight', [100, 100]);
    expect(values.filter((value) => Math.abs(value) < 0.02).length / values.length).toBeCloseTo(0.683, 1);
  });

  it('are 1 in norms and 0 in biases', () => {
    expect([...draw('model.layers.0.input_layernorm.weight', [3])]).toEqual([1, 1, 1]);
    expect([...draw('model.norm.weight', [2])]).toEqual([1, 1]);
    expect([...draw('model.norm.bias', [2])]).toEqual([0, 0]);
  });

  it('of adapters give a product of zero, with A uniform within 1 / sqrt(in)', () => {
    const a = draw('model.layers.0.self_attn.q_proj.lora_A.weight', [50, 64]);
    expect(Math.max(...a)).toBeGreaterThan(0.12);
    expect(Math.max(...a)).toBeLessThanOrEqual(0.125);
    expect(deviation(a)).toBeCloseTo(0.125 / Math.sqrt(3), 2);
    expect(draw('model.layers.0.self_attn.q_proj.lora_B.weight', [64, 50]).every((value) => value === 0)).toBe(true);
  });

  it('are a pure function of the seed and the tensor, the same bytes everywhere', () => {
    const digest = (seed: number, index: number) => sha256(bytesOf(draw('model.embed_tokens.weight', [31, 33], seed, index)));
    expect(digest(1, 3)).toMatchInlineSnapshot(`"90d116d9b09ee615e3d08551273e9d841b92e8a1b279057fcedffab85c954909"`);
    expect(new Set([digest(1, 3), digest(2, 3), digest(1, 4)]).size).toBe(3);
  });
});
