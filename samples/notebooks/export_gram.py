# SPDX-License-Identifier: Apache-2.0
"""Trains a small network with PyTorch and writes its NTK Gram matrix for 3-pytorch.ipynb: python3 export_gram.py

Needs PyTorch 1.13 with functorch, or 2.x, where torch.func has the same functions.
"""
import copy

import numpy as np
import torch

try:
    from torch.func import functional_call, jacrev, vmap
except ImportError:
    from functorch import jacrev, make_functional, vmap

    functional_call = None

N, BATCH_SIZE, LEARNING_RATE = 64, 8, 0.2

torch.set_default_dtype(torch.float64)
torch.manual_seed(1)
x = torch.randn(N, 10)
y = torch.sin(2 * x[:, :1]) + 0.5 * x[:, 1:2] * x[:, 2:3]
net = torch.nn.Sequential(
    torch.nn.Linear(10, 64), torch.nn.Tanh(), torch.nn.Linear(64, 64), torch.nn.Tanh(), torch.nn.Linear(64, 1)
)
batches = torch.Generator().manual_seed(2)


def train(model, learning_rate, steps):
    """SGD on the half-squared error; returns the norm of the residual f - y before every step."""
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    norms = []
    for _ in range(steps):
        with torch.no_grad():
            norms.append(torch.linalg.norm(model(x) - y).item())
        batch = torch.randperm(N, generator=batches)[:BATCH_SIZE]
        loss = 0.5 * ((model(x[batch]) - y[batch]) ** 2).sum() / BATCH_SIZE
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return np.array(norms)


def jacobian(model):
    """N x P, one row an example."""
    if functional_call is not None:
        parameters = dict(model.named_parameters())
        of_one = lambda p, example: functional_call(model, p, example.unsqueeze(0)).squeeze(0)
        blocks = vmap(jacrev(of_one), (None, 0))(parameters, x).values()
    else:
        function, parameters = make_functional(model)
        of_one = lambda p, example: function(p, example.unsqueeze(0)).squeeze(0)
        blocks = vmap(jacrev(of_one), (None, 0))(parameters, x)
    return torch.cat([block.reshape(N, -1) for block in blocks], 1).detach()


train(net, LEARNING_RATE, 2500)
J = jacobian(net)
G = (J @ J.T).numpy()
np.savez_compressed(
    "gram.npz",
    G=G,
    stable=train(copy.deepcopy(net), LEARNING_RATE, 1000),
    unstable=train(copy.deepcopy(net), 1.35 * LEARNING_RATE, 100),
)
print("sharpness", np.linalg.eigvalsh(G)[-1] / N)
