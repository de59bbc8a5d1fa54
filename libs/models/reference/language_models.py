"""Writes language_models.json: what Hugging Face's Llama and GPT-2, and PEFT's LoRA, compute of tiny models on PyTorch.

Weights are given by a formula (`pattern`), so that the file holds results only: the logits of every position, the loss sum, and of every tensor's
gradient the inner product with another pattern. Names and orientation are Lockstep's: `[out, in]`, with GPT-2's joined projection taken apart.
Needs PyTorch, transformers and peft: `python libs/models/reference/language_models.py`.
"""
import json
import pathlib

import numpy
import torch
from peft import LoraConfig, get_peft_model
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

TOKENS = [[3, 14, 1, 5, 9, 2, 6], [30, 0, 7, 7, 11, 28, 19]]
TARGETS = [[14, 1, 5, 9, 2, 6, -1], [-1, 7, 7, 11, 28, 19, 4]]


def pattern(name, shape, purpose):
    """Values in [-0.3, 0.3) from a hash of the element's number and the characters of the name; around 1 for the weights of norms."""
    key = purpose
    for character in name:
        key = (key * 31 + ord(character)) % 2**32
    index = numpy.arange(int(numpy.prod(shape)), dtype=numpy.uint64)
    mixed = (index * 2654435761 + key) % 2**32
    mixed = ((mixed ^ (mixed >> numpy.uint64(15))) * 2246822519) % 2**32
    values = ((mixed ^ (mixed >> numpy.uint64(13))) / 2**32 - 0.5) * 0.6
    around = 1 if purpose == 0 and name.endswith('norm.weight') else 0
    return torch.tensor((values + around).reshape(shape), dtype=torch.float64)


def results(model, views):
    """`views` are pairs of a canonical name and a function that takes a parameter or its gradient to that tensor."""
    model.double().eval()
    by_name = dict(model.named_parameters())
    with torch.no_grad():
        for name, (source, view) in views.items():
            view(by_name[source].data).copy_(pattern(name, view(by_name[source]).shape, 0))
    tokens, targets = torch.tensor(TOKENS), torch.tensor(TARGETS)
    for parameter in by_name.values():
        parameter.requires_grad_(True)
    logits = model(tokens).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1, reduction='sum')
    loss.backward()
    products = {name: float((view(by_name[source].grad) * pattern(name, view(by_name[source]).shape, 1)).sum()) for name, (source, view) in views.items()}
    return {'lossSum': float(loss.detach()), 'logits': [float(f'{value:.8g}') for value in logits.detach().flatten()], 'gradientProducts': products}


def same(tensor):
    return tensor


def llama(lora):
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=31, hidden_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=40,
                                         rope_theta=100.0, rms_norm_eps=1e-5, tie_word_embeddings=False, max_position_embeddings=16))
    if lora:
        model = get_peft_model(model, LoraConfig(r=3, lora_alpha=6, target_modules=['q_proj', 'down_proj']))
    canonical = lambda name: name.replace('base_model.model.', '').replace('.base_layer', '').replace('.default', '')
    return results(model, {canonical(name): (name, same) for name, _ in model.named_parameters()})


def gpt2():
    width = 24
    model = GPT2LMHeadModel(GPT2Config(vocab_size=31, n_embd=width, n_layer=2, n_head=4, n_positions=16))
    third = lambda part: lambda tensor: tensor[..., part * width:(part + 1) * width].T if tensor.dim() == 2 else tensor[part * width:(part + 1) * width]
    transposed = lambda tensor: tensor.T if tensor.dim() == 2 else tensor
    views = {'model.embed_tokens.weight': ('transformer.wte.weight', same), 'model.embed_positions.weight': ('transformer.wpe.weight', same)}
    for kind in ['weight', 'bias']:
        views[f'model.norm.{kind}'] = (f'transformer.ln_f.{kind}', same)
        for layer in range(2):
            ours, theirs = f'model.layers.{layer}', f'transformer.h.{layer}'
            views[f'{ours}.input_layernorm.{kind}'] = (f'{theirs}.ln_1.{kind}', same)
            views[f'{ours}.post_attention_layernorm.{kind}'] = (f'{theirs}.ln_2.{kind}', same)
            for part, which in enumerate('qkv'):
                views[f'{ours}.self_attn.{which}_proj.{kind}'] = (f'{theirs}.attn.c_attn.{kind}', third(part))
            for own, other in [('self_attn.o_proj', 'attn.c_proj'), ('mlp.up_proj', 'mlp.c_fc'), ('mlp.down_proj', 'mlp.c_proj')]:
                views[f'{ours}.{own}.{kind}'] = (f'{theirs}.{other}.{kind}', transposed)
    return results(model, views)


if __name__ == '__main__':
    out = {'tokens': TOKENS, 'targets': TARGETS, 'llama': llama(False), 'llamaLora': llama(True), 'gpt2': gpt2()}
    pathlib.Path(__file__).with_suffix('.json').write_text(json.dumps(out) + '\n')
