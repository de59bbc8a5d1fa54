"""PyTorch DistributedDataParallel over gloo on Lockstep's models, on random data in memory.

python3 -m torch.distributed.run --standalone --nproc_per_node 2 ddp.py --model cnn --batch 128 --steps 60
Rank 0 prints one JSON line: images a second over all processes. One thread a process.
Needs: pip install torch numpy (the CPU build is enough).
"""
import argparse
import json
import time

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

MODELS = {
    "mlp": lambda: nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)),
    "cnn": lambda: nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10),
    ),
}

parser = argparse.ArgumentParser()
parser.add_argument("--model", choices=MODELS, required=True)
parser.add_argument("--batch", type=int, required=True, help="samples a process a step")
parser.add_argument("--steps", type=int, required=True, help="steps that are timed")
options = parser.parse_args()

torch.set_num_threads(1)
dist.init_process_group("gloo")
model = DistributedDataParallel(MODELS[options.model]())
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
shape = (options.batch, 784) if options.model == "mlp" else (options.batch, 1, 28, 28)
images, labels = torch.randn(shape), torch.randint(0, 10, (options.batch,))
loss_function = nn.CrossEntropyLoss()


def step():
    optimizer.zero_grad()
    loss = loss_function(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


for _ in range(max(8, options.steps // 5)):
    step()
dist.barrier()
start = time.perf_counter()
for _ in range(options.steps):
    step()
dist.barrier()
seconds = time.perf_counter() - start
if dist.get_rank() == 0:
    samples = dist.get_world_size() * options.batch * options.steps
    print(json.dumps({"examplesPerSecond": samples / seconds}), flush=True)
dist.destroy_process_group()
