"""Computes the numbers that the specs of optimizers, clipping and schedules compare with.

Usage: python libs/reduction/reference/optimizers.py   (needs PyTorch; writes optimizers.json beside itself)
"""
import json
from pathlib import Path

import torch
from torch import optim
from torch.optim import lr_scheduler

SEED, LENGTH, STEPS = 20_260_101, 21, 5
RATE, SCHEDULE_STEPS = 0.1, 40

# name, our config without learningRate, the torch optimizer with the same settings
OPTIMIZERS = [
    ("sgd", {"kind": "sgd"}, lambda p: optim.SGD(p, lr=0.05)),
    ("sgd, L2", {"kind": "sgd", "l2": 0.1}, lambda p: optim.SGD(p, lr=0.05, weight_decay=0.1)),
    ("momentum", {"kind": "sgd", "momentum": 0.9}, lambda p: optim.SGD(p, lr=0.05, momentum=0.9)),
    ("momentum, L2", {"kind": "sgd", "momentum": 0.9, "l2": 0.1}, lambda p: optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.1)),
    ("nesterov", {"kind": "sgd", "momentum": 0.8, "nesterov": True}, lambda p: optim.SGD(p, lr=0.05, momentum=0.8, nesterov=True)),
    ("nesterov, L2", {"kind": "sgd", "momentum": 0.8, "nesterov": True, "l2": 0.1},
     lambda p: optim.SGD(p, lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.1)),
    ("adam", {"kind": "adam"}, lambda p: optim.Adam(p, lr=0.05)),
    ("adam, L2", {"kind": "adam", "l2": 0.1}, lambda p: optim.Adam(p, lr=0.05, weight_decay=0.1)),
    ("adam, own betas and epsilon", {"kind": "adam", "beta1": 0.7, "beta2": 0.95, "epsilon": 1e-3},
     lambda p: optim.Adam(p, lr=0.05, betas=(0.7, 0.95), eps=1e-3)),
    ("adamw", {"kind": "adamw"}, lambda p: optim.AdamW(p, lr=0.05)),
    ("adamw, more decay", {"kind": "adamw", "weightDecay": 0.2}, lambda p: optim.AdamW(p, lr=0.05, weight_decay=0.2)),
    ("adamw, no decay", {"kind": "adamw", "weightDecay": 0}, lambda p: optim.AdamW(p, lr=0.05, weight_decay=0)),
    ("rmsprop", {"kind": "rmsprop"}, lambda p: optim.RMSprop(p, lr=0.05)),
    ("rmsprop, L2", {"kind": "rmsprop", "l2": 0.1}, lambda p: optim.RMSprop(p, lr=0.05, weight_decay=0.1)),
    ("rmsprop, momentum", {"kind": "rmsprop", "momentum": 0.9, "alpha": 0.9}, lambda p: optim.RMSprop(p, lr=0.05, momentum=0.9, alpha=0.9)),
    ("rmsprop, momentum, L2", {"kind": "rmsprop", "momentum": 0.9, "l2": 0.1},
     lambda p: optim.RMSprop(p, lr=0.05, momentum=0.9, weight_decay=0.1)),
]


def warm_up(optimizer, steps, base):
    linear = lr_scheduler.LinearLR(optimizer, start_factor=1 / steps, total_iters=steps - 1)
    return lr_scheduler.SequentialLR(optimizer, [linear, base], milestones=[steps])


def step_schedule(o):
    return lr_scheduler.StepLR(o, step_size=7, gamma=0.3)


def exponential(o):
    return lr_scheduler.ExponentialLR(o, gamma=0.5 ** (1 / 6))


def cosine(o, steps):
    return lr_scheduler.CosineAnnealingLR(o, T_max=steps, eta_min=0.01)


STEP = {"kind": "step", "rate": RATE, "factor": 0.3, "everySteps": 7}
EXPONENTIAL = {"kind": "exponential", "rate": RATE, "factor": 0.5, "everySteps": 6}
COSINE = {"kind": "cosine", "rate": RATE, "finalRate": 0.01, "steps": None}
# name, our config, the torch scheduler of an optimizer
SCHEDULES = [
    ("constant", {"base": {"kind": "constant", "rate": RATE}}, lambda o: lr_scheduler.ConstantLR(o, factor=1)),
    ("step", {"base": STEP}, step_schedule),
    ("exponential", {"base": EXPONENTIAL}, exponential),
    ("cosine over the run", {"base": COSINE}, lambda o: cosine(o, SCHEDULE_STEPS)),
    ("warm-up, constant", {"base": {"kind": "constant", "rate": RATE}, "warmupSteps": 10},
     lambda o: warm_up(o, 10, lr_scheduler.ConstantLR(o, factor=1))),
    ("warm-up, step", {"base": STEP, "warmupSteps": 10}, lambda o: warm_up(o, 10, step_schedule(o))),
    ("warm-up, exponential", {"base": EXPONENTIAL, "warmupSteps": 10}, lambda o: warm_up(o, 10, exponential(o))),
    ("warm-up, cosine over the rest", {"base": COSINE, "warmupSteps": 10}, lambda o: warm_up(o, 10, cosine(o, SCHEDULE_STEPS - 10))),
]


def optimizer_case(name, config, create, initial, gradients):
    parameter = initial.clone().requires_grad_()
    optimizer = create([parameter])
    after = []
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimizer.step()
        after.append(parameter.detach().tolist())
    state = optimizer.state[parameter]
    slots = {key: state[key].tolist() for key in ("momentum_buffer", "exp_avg", "exp_avg_sq", "square_avg") if state.get(key) is not None}
    return {"name": name, "config": config, "learningRate": 0.05, "parametersAfter": after, "slotsAtEnd": slots}


def schedule_case(name, config, create):
    optimizer = optim.SGD([torch.zeros(1)], lr=RATE)
    scheduler = create(optimizer)
    rates = []
    for _ in range(SCHEDULE_STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return {"name": name, "config": config, "totalSteps": SCHEDULE_STEPS, "rates": rates}


def clipping_case(gradient, limit):
    by_norm, by_value = gradient.clone().requires_grad_(), gradient.clone().requires_grad_()
    by_norm.grad, by_value.grad = gradient.clone(), gradient.clone()
    torch.nn.utils.clip_grad_norm_([by_norm], limit)
    torch.nn.utils.clip_grad_value_([by_value], limit)
    return {"limit": limit, "byNorm": by_norm.grad.tolist(), "byValue": by_value.grad.tolist()}


def main():
    torch.manual_seed(SEED)
    initial = torch.randn(LENGTH)
    gradients = [torch.randn(LENGTH) * scale for scale in (1, 0.1, 3, 1e-3, 1)]
    reference = {
        "madeBy": f"optimizers.py, torch {torch.__version__.split('+')[0]}, CPU, float32",
        "initial": initial.tolist(),
        "gradients": [gradient.tolist() for gradient in gradients],
        "optimizers": [optimizer_case(*case, initial, gradients) for case in OPTIMIZERS],
        "clipping": [clipping_case(gradients[0], limit) for limit in (0.5, 2.0, 100.0)],
        "schedules": [schedule_case(*case) for case in SCHEDULES],
    }
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(reference, indent=None, separators=(",", ":")).replace(',"', ',\n"') + "\n")


if __name__ == "__main__":
    main()
