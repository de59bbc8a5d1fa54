"""The same GPT as a Lockstep run trains, by PyTorch with transformers, on the same token file: its validation loss at the end.

python3 gpt.py --config runs/book/config.json
Reads the run's own config: rows, splits, batch, AdamW and its schedule are those of the run; the initial values and the order
of the rows are PyTorch's. Prints one JSON line: the mean loss of the validation rows.
Needs: pip install torch numpy transformers (the CPU build is enough).
"""
import argparse
import json
import math
import struct

import numpy
import torch
from transformers import GPT2Config, GPT2LMHeadModel

parser = argparse.ArgumentParser()
parser.add_argument("--config", required=True, help="config.json of the run")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--seed", type=int, default=1)
options = parser.parse_args()
with open(options.config) as file:
    config = json.load(file)
model_config, source, optimizer_config = config["model"], config["data"]["source"], config["optimizer"]
assert model_config["kind"] == "transformer" and model_config["positions"] == "learned" and model_config["activation"] == "gelu", "a GPT-2"

with open(source["file"], "rb") as file:
    assert file.read(8) == b"LSTOKN01"
    (header_length,) = struct.unpack("<I", file.read(4))
    header = json.loads(file.read(header_length))
offset = math.ceil((12 + header_length) / 64) * 64
tokens = numpy.memmap(source["file"], dtype="<u2" if header["tokenBytes"] == 2 else "<u4", mode="r", offset=offset, shape=(header["numTokens"],))
length = source["rowLength"]
rows = (len(tokens) - 1) // length
num_test, num_validation = (max(1, math.floor(config["data"][split] * rows + 0.5)) if config["data"][split] > 0 else 0 for split in ("test", "validation"))
first_validation = rows - num_test - num_validation


def batch(numbers):
    picked = torch.stack([torch.from_numpy(tokens[n * length:(n + 1) * length + 1].astype("int64")) for n in numbers])
    return picked[:, :-1], picked[:, 1:]


torch.set_num_threads(options.threads)
torch.manual_seed(options.seed)
dropout = model_config["dropout"]
model = GPT2LMHeadModel(GPT2Config(
    vocab_size=header["vocabularySize"], n_positions=model_config["contextLength"], n_embd=model_config["width"], n_layer=model_config["depth"],
    n_head=model_config["heads"], n_inner=model_config["feedForward"], layer_norm_epsilon=model_config["normEpsilon"],
    embd_pdrop=dropout, attn_pdrop=dropout, resid_pdrop=dropout, use_cache=False,
))
schedule = optimizer_config["learningRate"]
base, warmup = schedule["base"], schedule["warmupSteps"]
optimizer = torch.optim.AdamW(
    model.parameters(), lr=base["rate"], betas=(optimizer_config["beta1"], optimizer_config["beta2"]), eps=optimizer_config["epsilon"],
    weight_decay=optimizer_config["weightDecay"],
)
size = config["globalBatchSize"]
steps_per_epoch = math.ceil(first_validation / size)
total_steps = min(steps_per_epoch * config["epochs"], config["maxSteps"] or math.inf)


def rate_at(step):
    if step < warmup:
        return base["rate"] * (step + 1) / warmup
    if base["kind"] == "constant":
        return base["rate"]
    assert base["kind"] == "cosine"
    steps = base["steps"] or max(1, total_steps - warmup)
    progress = min(1, (step - warmup) / steps)
    return base["finalRate"] + (base["rate"] - base["finalRate"]) * (1 + math.cos(math.pi * progress)) / 2


def loss_of(inputs, targets):
    return torch.nn.functional.cross_entropy(model(input_ids=inputs).logits.flatten(0, 1), targets.flatten())


def validation_loss():
    model.eval()
    with torch.no_grad():
        losses = [loss_of(*batch([n])).item() for n in range(first_validation, first_validation + num_validation)]
    model.train()
    return sum(losses) / len(losses)


step = 0
while step < total_steps:
    order = torch.randperm(first_validation).tolist()
    for start in range(0, first_validation, size):
        if step == total_steps:
            break
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step)
        optimizer.zero_grad()
        loss = loss_of(*batch(order[start:start + size]))
        loss.backward()
        clip = config["clipping"]["globalNorm"]
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        step += 1
print(json.dumps({"validationLoss": validation_loss(), "steps": step}), flush=True)
