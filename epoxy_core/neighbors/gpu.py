"""Candidates from matrix products on a GPU."""

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors.candidates.pool import NOBODY, Best

_PRODUCTS = 2**28  # on the device at once: 1 GiB


def available() -> bool:
    """Whether torch sees a CUDA device."""
    import torch

    return torch.cuda.is_available()


def all_pairs_on(
    device: str,
    vectors: npt.NDArray[np.float32],
    candidates: int,
    apart: npt.NDArray[np.int64] | None = None,
) -> Best:
    """Find the ``candidates`` items with the largest float32 products of every item.

    As `all_pairs.all_pairs`, by blocks of whole rows.
    """
    import torch

    n = len(vectors)
    best = Best(np.empty((n, candidates), np.int32), np.empty(n, np.float32))
    everyone = torch.from_numpy(vectors).to(device)
    numbers = None if apart is None else torch.from_numpy(apart).to(device)
    step = max(1, _PRODUCTS // n)
    tf32, torch.backends.cuda.matmul.allow_tf32 = torch.backends.cuda.matmul.allow_tf32, False
    try:
        for top in range(0, n, step):
            part = slice(top, min(top + step, n))
            products = everyone[part] @ everyone.T
            products.diagonal(top).fill_(-torch.inf)
            if numbers is not None:
                products.masked_fill_(numbers[part, None] == numbers, -torch.inf)
            keys, rows = torch.topk(products, candidates, dim=1)
            best.rows[part] = rows.masked_fill_(keys == -torch.inf, NOBODY).cpu().numpy()
            best.left_out[part] = keys[:, -1].cpu().numpy()
    finally:
        torch.backends.cuda.matmul.allow_tf32 = tf32
    return best
