"""Steps PyTorch's fused Adam on one thread: each line on stdin is answered by the seconds of one step.

Usage: python torch_adam.py LENGTH TURNS
"""
import sys
import time

import torch

length, turns = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(1)
parameters = torch.randn(length).requires_grad_()
parameters.grad = torch.randn(length) * 0.01
optimizer = torch.optim.Adam([parameters], lr=1e-3, fused=True)
for _ in range(20):
    optimizer.step()
print(torch.__version__.split("+")[0], flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    for _ in range(turns):
        optimizer.step()
    print((time.perf_counter() - start) / turns, flush=True)
