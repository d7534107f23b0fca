# SPDX-License-Identifier: Apache-2.0
"""One step of the residual cocycle in NumPy, the sizes of KernelBenchmark: prints microseconds per step."""
import time

import numpy as np

rng = np.random.default_rng(1)
for m in (1000, 8192):
    index = np.arange(m)
    gram = 1e-3 / (1 + np.abs(index[:, None] - index[None, :])) + np.eye(m)
    r = np.ones(m)
    for batch in (1, 32):
        draws = [rng.choice(m, batch, replace=False) for _ in range(200)]
        best = np.inf
        for _ in range(5):
            start = time.perf_counter()
            for rows in draws:
                r -= 1e-9 * (r[rows] @ gram[rows])
            best = min(best, (time.perf_counter() - start) / len(draws))
        print(f"m={m} B={batch}: {best * 1e6:.1f} us")
