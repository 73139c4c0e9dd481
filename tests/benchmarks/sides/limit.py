"""The machine's limit: a square product by each library that there is, of which the best counts."""

import statistics
from collections.abc import Callable

import numpy as np
import torch
from scipy.linalg import blas


def _sides(size: int, device: torch.device, jax) -> dict[str, Callable[[], object]]:
    """Return the product of two matrices by each library; all have what they need at hand."""
    left, right, out = torch.randn(3, size, size, device=device)
    sides = {"torch.mm": lambda: torch.mm(left, right, out=out)}
    if device.type == "cpu":
        a, b, c = (tensor.numpy() for tensor in (left, right, out))
        columns = [np.asfortranarray(values) for values in (a, b, c)]
        image, weight = right.view(1, size, size, 1), left.view(size, size, 1, 1)
        sides |= {
            "NumPy": lambda: np.matmul(a, b, out=c),
            "SciPy's sgemm": lambda: blas.sgemm(1.0, *columns[:2], c=columns[2], overwrite_c=True),
            # torch convolves by oneDNN, which has no public product.
            "torch.conv2d, 1×1": lambda: torch.conv2d(image, weight),
        }
    if jax:
        own = [jax.numpy.asarray(tensor.cpu().numpy()) for tensor in (left, right)]
        dot = jax.jit(jax.numpy.dot)
        sides["JAX"] = lambda: dot(*own).block_until_ready()
    return sides


@torch.inference_mode()
def rates(
    seconds: Callable, device: torch.device, sizes: tuple, turns: int, jax=None
) -> dict[str, tuple]:
    """Return of each library its best median over sizes, multiply-adds a second, and the size.

    Args:
        seconds: of a call, as all are timed.
        device: where torch computes.
        sizes: of the matrices, which are square.
        turns: of each library and size.
        jax: the module, or None.
    """
    best: dict[str, tuple] = {}
    for size in sizes:
        sides = _sides(size, device, jax)
        found = {name: [] for name in sides}
        for turn in range(turns + 1):
            for name, side in sides.items():

                def some(side: Callable = side) -> None:
                    for _ in range(8):
                        side()

                taken = seconds(some)
                if turn:  # the first one finds cold caches
                    found[name].append(taken / 8)
        for name, values in found.items():
            rate = size**3 / statistics.median(values)
            best[name] = max(best.get(name, (0, 0)), (rate, size))
    return best
