# SPDX-License-Identifier: Apache-2.0
"""The Gram matrix of a tangent kernel by PyTorch: the Jacobian of all outputs by vmap(jacrev), then J J^T layer by layer.

Debian: apt-get install python3-torch libopenblas0; /usr/bin/python3 gram.py [one|ten|lenet] ...
The Jacobian of LeNet at N = 500 takes 8.6 GB; it is formed for 50 examples at a time, once. Float32, seed 1, otherwise best of 3.
"""
import resource
import sys
import time

import torch
from torch import nn

try:
    from torch.func import functional_call, jacrev, vmap

    def functional(net):
        return (lambda p, x: functional_call(net, p, (x,))), dict(net.named_parameters())
except ImportError:  # PyTorch 1.13
    from functorch import jacrev, make_functional, vmap

    def functional(net):
        f, p = make_functional(net)
        return f, p


def perceptron(*sizes):
    layers = []
    for p, q in zip(sizes, sizes[1:]):
        layers += [nn.Linear(p, q), nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def lenet():
    return nn.Sequential(
        nn.Unflatten(-1, (1, 28, 28)),
        nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.Flatten(-3),
        nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))


def gram(f, parameters, x, at_a_time):
    jacobian = vmap(jacrev(f), (None, 0))
    with torch.no_grad():
        blocks = []
        for part in torch.split(x, at_a_time):
            j = jacobian(parameters, part)
            blocks.append([v.detach().flatten(2).flatten(0, 1) for v in (j.values() if isinstance(j, dict) else j)])
        m = sum(b[0].shape[0] for b in blocks)
        total = torch.zeros(m, m)
        for rows in zip(*blocks):
            j = torch.cat(rows)
            total.addmm_(j, j.T)
        return total


def main():
    torch.manual_seed(1)
    print("PyTorch", torch.__version__, torch.get_num_threads(), "threads")
    cases = {
        "one": (lambda: perceptron(784, 200, 200, 1), 1000, 1000, 3),
        "ten": (lambda: perceptron(784, 200, 200, 10), 500, 500, 3),
        "lenet": (lenet, 500, 50, 1),
    }
    for name in sys.argv[1:] or ["one", "ten"]:
        build, n, at_a_time, runs = cases[name]
        f, parameters = functional(build())
        x = torch.randn(n, 784)
        best = float("inf")
        for _ in range(runs):
            start = time.perf_counter()
            g = gram(f, parameters, x, at_a_time)
            best = min(best, time.perf_counter() - start)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{name}: N = {n}, m = {g.shape[0]}, {best:.3f} s, peak {peak:.1f} GiB", flush=True)


if __name__ == "__main__":
    main()
