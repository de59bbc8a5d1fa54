"""Writes tiny/: models as other programs write them, and in tiny/expected.json what they hold under Lockstep's names.

How it was made: python -m venv venv && venv/bin/pip install torch transformers peft safetensors gguf tokenizers && venv/bin/python tiny-models.py
A tensor is expected as its shape and the first 16 digits of the SHA-256 of its little-endian float32 values.
"""
import hashlib
import json
import pathlib
import shutil

import gguf
import numpy as np
import peft
import tokenizers
import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import decoders, models, pre_tokenizers
from transformers import BertConfig, BertModel, GPT2Config, GPT2LMHeadModel, GPT2Model, LlamaConfig, LlamaForCausalLM

HERE = pathlib.Path(__file__).parent / "tiny"
shutil.rmtree(HERE, ignore_errors=True)
HERE.mkdir()
LLAMA = dict(vocab_size=7, hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
             max_position_embeddings=16, tie_word_embeddings=False, rope_theta=5000.0)
GPT2 = dict(bos_token_id=None, eos_token_id=None, vocab_size=7, n_embd=8, n_layer=1, n_head=2, n_positions=6)
BERT = dict(vocab_size=7, hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=6)


def randomised(model, seed):
    """Every tensor drawn anew, norms and biases too, so that none can be taken for another."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.copy_(torch.randn(tensor.shape, generator=generator))
    return model


def told(tensors):
    array = {name: tensor.detach().to(torch.float32).contiguous().numpy() for name, tensor in tensors.items()}
    return {name: f"{list(values.shape)} {hashlib.sha256(values.astype('<f4').tobytes()).hexdigest()[:16]}" for name, values in array.items()}


def llama_tensors(model):
    return {name: tensor for name, tensor in model.state_dict().items() if name != "lm_head.weight" or not model.config.tie_word_embeddings}


def gpt2_tensors(model):
    """Conv1D's weights are [in, out]."""
    body = model.state_dict()
    tensors = {"model.embed_tokens.weight": body["wte.weight"], "model.embed_positions.weight": body["wpe.weight"]}
    for kind in ("weight", "bias"):
        tensors[f"model.norm.{kind}"] = body[f"ln_f.{kind}"]
        for layer in range(model.config.n_layer):
            old, new = f"h.{layer}", f"model.layers.{layer}"
            tensors[f"{new}.input_layernorm.{kind}"] = body[f"{old}.ln_1.{kind}"]
            tensors[f"{new}.post_attention_layernorm.{kind}"] = body[f"{old}.ln_2.{kind}"]
            for part, tensor in zip("qkv", body[f"{old}.attn.c_attn.{kind}"].split(model.config.n_embd, dim=-1)):
                tensors[f"{new}.self_attn.{part}_proj.{kind}"] = tensor.T if kind == "weight" else tensor
            for theirs, ours in (("attn.c_proj", "self_attn.o_proj"), ("mlp.c_fc", "mlp.up_proj"), ("mlp.c_proj", "mlp.down_proj")):
                tensor = body[f"{old}.{theirs}.{kind}"]
                tensors[f"{new}.{ours}.{kind}"] = tensor.T if kind == "weight" else tensor
    return tensors


def bert_tensors(model):
    names = {"embeddings.word_embeddings": "embed_tokens", "embeddings.position_embeddings": "embed_positions",
             "embeddings.token_type_embeddings": "embed_token_types", "embeddings.LayerNorm": "embed_norm", "pooler.dense": "pooler",
             "encoder.layer": "layers", "attention.self.query": "self_attn.q_proj", "attention.self.key": "self_attn.k_proj",
             "attention.self.value": "self_attn.v_proj", "attention.output.dense": "self_attn.o_proj", "attention.output.LayerNorm": "self_attn_norm",
             "intermediate.dense": "mlp.up_proj", "output.dense": "mlp.down_proj", "output.LayerNorm": "mlp_norm"}
    renamed = {}
    for name, tensor in model.state_dict().items():
        for theirs, ours in names.items():
            name = name.replace(theirs, ours)
        renamed[f"model.{name}"] = tensor
    return renamed


def add_buffers(folder, buffers, prefix=""):
    """Files of older releases have buffers that are no weights."""
    path = HERE / folder / "model.safetensors"
    tensors = {prefix + name: tensor for name, tensor in load_file(path).items()}
    save_file({**tensors, **buffers}, path, metadata={"format": "pt"})


def write_folders(expected):
    llama = randomised(LlamaForCausalLM(LlamaConfig(**LLAMA)), 1)
    llama.save_pretrained(HERE / "llama")
    expected["llama"] = told(llama_tensors(llama))
    options = {**LLAMA, "num_hidden_layers": 1, "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True}
    sharded = randomised(LlamaForCausalLM(LlamaConfig(**options)), 2).to(torch.bfloat16)
    sharded.save_pretrained(HERE / "llama-sharded", max_shard_size="1KB")
    expected["llama-sharded"] = told(llama_tensors(sharded))
    gpt2 = randomised(GPT2LMHeadModel(GPT2Config(**GPT2)), 3)
    gpt2.save_pretrained(HERE / "gpt2")
    expected["gpt2"] = told(gpt2_tensors(gpt2.transformer))
    bare = randomised(GPT2Model(GPT2Config(**GPT2)), 4).to(torch.float16)
    bare.save_pretrained(HERE / "gpt2-bare")
    add_buffers("gpt2-bare", {"h.0.attn.bias": torch.ones(1, 1, 6, 6, dtype=torch.uint8), "h.0.attn.masked_bias": torch.tensor(-1e4)})
    expected["gpt2-bare"] = told(gpt2_tensors(bare))
    bert = randomised(BertModel(BertConfig(**BERT)), 5)
    bert.save_pretrained(HERE / "bert")
    add_buffers("bert", {"bert.embeddings.position_ids": torch.arange(6)[None]}, prefix="bert.")
    expected["bert"] = told(bert_tensors(bert))
    for unused in HERE.glob("*/generation_config.json"):
        unused.unlink()


def write_adapters():
    base = LlamaForCausalLM.from_pretrained(HERE / "llama")
    model = randomised(peft.get_peft_model(base, peft.LoraConfig(r=2, lora_alpha=6, lora_dropout=0.1, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")), 6)
    tensors = peft.get_peft_model_state_dict(model)
    path = HERE / "adapter_model.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata={"format": "pt"})


def paired(weights, num_heads):
    """The order of rows that GGUF files of Llamas have (llama.cpp, convert_hf_to_gguf.py)."""
    return weights.reshape(num_heads, 2, weights.shape[0] // num_heads // 2, -1).swapaxes(1, 2).reshape(weights.shape)


def byte_level_tokenizer(text):
    """With the characters of a text alone."""
    words = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(text)
    alphabet = sorted({character for word, _ in words for character in word})
    merges = [("h", "e"), ("l", "l"), ("he", "ll"), ("Ġ", "hell"), ("1", "2")]
    tokens = ["<|end|>", "<|im_start|>", *alphabet, *(left + right for left, right in merges)]
    tokenizer = tokenizers.Tokenizer(models.BPE(vocab={token: id for id, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(tokens[:2])
    return tokenizer, tokens, [" ".join(pair) for pair in merges]


def write_gguf(expected):
    text = "hello 1212 hell\n<|im_start|>né🐳<|end|>"
    tokenizer, tokens, merges = byte_level_tokenizer(text)
    rng = np.random.default_rng(7)
    types = gguf.GGMLQuantizationType
    width, heads, kv_heads = 32, 2, 1
    # One of each type that Lockstep reads. Lockstep's name: shape, heads whose rows are paired, GGUF's name, type.
    layer = "model.layers.0"
    plan = {
        "model.embed_tokens.weight": ((len(tokens), width), 0, "token_embd", types.Q4_0),
        f"{layer}.input_layernorm.weight": ((width,), 0, "blk.0.attn_norm", types.F32),
        f"{layer}.self_attn.q_proj.weight": ((width, width), heads, "blk.0.attn_q", types.Q4_1),
        f"{layer}.self_attn.k_proj.weight": ((width // 2, width), kv_heads, "blk.0.attn_k", types.Q4_0),
        f"{layer}.self_attn.v_proj.weight": ((width // 2, width), 0, "blk.0.attn_v", types.F16),
        f"{layer}.self_attn.o_proj.weight": ((width, width), 0, "blk.0.attn_output", types.BF16),
        f"{layer}.post_attention_layernorm.weight": ((width,), 0, "blk.0.ffn_norm", types.F32),
        f"{layer}.mlp.gate_proj.weight": ((width, width), 0, "blk.0.ffn_gate", types.Q4_1),
        f"{layer}.mlp.up_proj.weight": ((width, width), 0, "blk.0.ffn_up", types.Q4_0),
        f"{layer}.mlp.down_proj.weight": ((width, width), 0, "blk.0.ffn_down", types.Q8_0),
        "model.norm.weight": ((width,), 0, "output_norm", types.F32),
    }
    writer = gguf.GGUFWriter(HERE / "llama.gguf", "llama")
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(width)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(5000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3] + [1] * (len(tokens) - 2))
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(0)
    writer.add_chat_template("{% for message in messages %}<|im_start|>{{ message['content'] }}<|end|>{% endfor %}")
    tensors = {}
    for name, (shape, paired_heads, gguf_name, type) in plan.items():
        # Quantised row by row, so pairing rows and quantising may change places.
        data = gguf.quants.quantize(rng.normal(size=shape).astype(np.float32), type)
        tensors[name] = torch.from_numpy(np.array(gguf.quants.dequantize(data, type), dtype=np.float32))
        writer.add_tensor(f"{gguf_name}.weight", paired(data, paired_heads) if paired_heads else data, raw_dtype=type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    expected["llama.gguf"] = told(tensors)
    expected["tokenizer"] = {"text": text, "ids": tokenizer.encode(text).ids}


versions = {module.__name__: module.__version__ for module in (torch, transformers, peft, tokenizers)}
expected = {"madeBy": ", ".join(f"{name} {version}" for name, version in versions.items())}
write_folders(expected)
write_adapters()
write_gguf(expected)
(HERE / "expected.json").write_text(json.dumps(expected) + "\n")
