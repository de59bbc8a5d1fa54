"""PyTorch DistributedDataParallel over gloo, fine-tuning a GGUF model with LoRA (peft), on random tokens in memory.

python3 -m torch.distributed.run --standalone --nproc_per_node 2 lora.py --model model.gguf --rank 8 --targets q_proj --tokens 64 --steps 20
Rank 0 prints one JSON line: tokens a second over all processes, and the most resident bytes that a process has had. One thread a process.
Needs: pip install torch transformers peft gguf (the CPU build is enough).
"""
import argparse
import json
import os
import resource
import time

import torch
import torch.distributed as dist
from peft import LoraConfig, get_peft_model
from torch.nn.parallel import DistributedDataParallel
from transformers import AutoModelForCausalLM

parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True, help="a GGUF file")
parser.add_argument("--rank", type=int, help="of the adapters; without it every parameter trains")
parser.add_argument("--targets", nargs="+", default=["q_proj"])
parser.add_argument("--tokens", type=int, required=True, help="predicted a process a step, one row")
parser.add_argument("--steps", type=int, required=True, help="steps that are timed")
options = parser.parse_args()

torch.set_num_threads(1)
dist.init_process_group("gloo")
folder, file = os.path.split(os.path.abspath(options.model))
model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32)
model.config.use_cache = False
if options.rank is not None:
    model = get_peft_model(model, LoraConfig(r=options.rank, lora_alpha=16, target_modules=options.targets, task_type="CAUSAL_LM"))
loaded = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
parallel = DistributedDataParallel(model)
optimizer = torch.optim.AdamW([parameter for parameter in model.parameters() if parameter.requires_grad], 1e-4)
tokens = torch.randint(0, model.config.vocab_size, (1, options.tokens + 1), generator=torch.Generator().manual_seed(dist.get_rank()))


def step():
    optimizer.zero_grad()
    logits = parallel(input_ids=tokens[:, :-1]).logits
    loss = torch.nn.functional.cross_entropy(logits[0], tokens[0, 1:])
    loss.backward()
    optimizer.step()
    return loss.item()


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


most = 0
for _ in range(max(3, options.steps // 4)):
    step()
dist.barrier()
start = time.perf_counter()
for _ in range(options.steps):
    step()
    most = max(most, resident())
dist.barrier()
seconds = time.perf_counter() - start
if dist.get_rank() == 0:
    print(json.dumps({"tokensPerSecond": dist.get_world_size() * options.tokens * options.steps / seconds, "residentBytes": most, "peakBytesOfLoading": loaded * 1024}), flush=True)
dist.destroy_process_group()
