"""Multinomial logistic regression for millions of rows: preconditioned L-BFGS over chunks."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from epoxy_core.end_model.examples import Examples, Floats

_CHUNK = 2_048  # rows a product takes at once: they stay in the cache for the second product
_BLOCK = 32_768  # rows a thread takes at once; sums are by block, whatever the threads
_FEW = 2_000  # rows up to which finding principal axes costs more than it saves
_SAMPLE = 20_000  # rows that tell how curved the loss is
_TOLERANCE = 1e-8


class Sums(NamedTuple):
    """Sums over rows: the loss, its gradient [c, d + 1], and its curvature by the logits [c, c]."""

    loss: float
    slope: Floats
    curvature: Floats


def fit_softmax(examples: Examples, n_classes: int, l2: float) -> tuple[Floats, Floats]:
    """Minimise Σ weight · cross-entropy + l2/2 · ‖coefficients‖²; biases go free.

    As in scikit-learn, K classes have a coefficient vector each, but two classes share one (its
    difference), and C = 1/l2. L-BFGS works in coordinates in which the loss is about equally
    curved in every direction: principal axes of the embeddings times those of the class
    curvature Σ diag(p) − ppᵀ, scaled by the root of the product of both spreads plus l2. There
    half the squared gradient is about what is left to gain; below 1e-8 of the loss it stops.

    Parameters
    ----------
    examples
        Rows; each class has some mass among them.
    n_classes
        K, at least 2.
    l2
        Strength of the penalty.

    Returns
    -------
    coefficients float64 [K, d], biases float64 [K]
    """
    with _one_blas_thread():
        contrast = np.array([[-0.5], [0.5]]) if n_classes == 2 else np.eye(n_classes)
        problem = _Problem(examples, contrast, l2)
        mass = examples.class_mass(n_classes)
        found = problem.solve(np.linalg.pinv(contrast) @ np.log(mass / mass.sum()))
    return contrast @ found[:, :-1], contrast @ found[:, -1]


class _Problem:
    """The objective, and the coordinates in which L-BFGS sees it."""

    def __init__(self, examples: Examples, contrast: Floats, l2: float) -> None:
        self.examples = examples
        self.contrast = contrast
        self.l2 = l2
        self.shape = (contrast.shape[1], examples.embeddings.shape[1] + 1)

    def solve(self, bias: Floats) -> Floats:
        """Parameters [c, d + 1], biases last; the start has these biases and nothing else."""
        from scipy.optimize import minimize

        start = np.zeros(self.shape)
        start[:, -1] = bias
        self._precondition(self.examples.sampled(_SAMPLE), start)
        gradient = np.zeros(start.size)

        def objective(inner: Floats) -> tuple[float, Floats]:
            parameters = self._outer(inner)
            sums = _summed(self.examples, parameters, self.contrast)
            slope, penalised = sums.slope, parameters[:, :-1]
            inward = slope[:, :-1] - np.outer(slope[:, -1], self.mean) + self.l2 * penalised
            slope[:, :-1] = inward @ self.axes
            gradient[:] = (self.mix.T @ slope / self.scale).ravel()
            return sums.loss + self.l2 / 2 * float((penalised**2).sum()), gradient.copy()

        def stop(intermediate_result: Any) -> None:
            if gradient @ gradient / 2 <= _TOLERANCE * (1 + intermediate_result.fun):
                raise StopIteration

        found = minimize(
            objective,
            (self.mix.T @ start * self.scale).ravel(),
            jac=True,
            method="L-BFGS-B",
            callback=stop,
            options={"maxiter": 500, "maxcor": 20, "ftol": 0, "gtol": 0},
        )
        return self._outer(found.x)

    def _precondition(self, sample: Examples, start: Floats) -> None:
        d = self.shape[1] - 1
        weights, total, gram = 0.0, np.zeros(d), np.zeros((d, d))
        for x, _, weight in sample.chunks(_CHUNK):
            weights += float(weight.sum())
            total += weight @ x
            gram += (x * weight[:, None]).T @ x
        self.mean = total / weights
        gram -= np.outer(total, self.mean)
        if len(sample) <= _FEW:
            spread, self.axes = gram.diagonal(), np.eye(d)
        else:
            spread, self.axes = np.linalg.eigh(gram)
        curvature = _summed(sample, start, self.contrast).curvature
        share, self.mix = np.linalg.eigh(curvature / weights)
        share = np.maximum(share, 0)
        self.scale = np.sqrt(np.outer(share, np.append(np.maximum(spread, 0), weights)) + self.l2)

    def _outer(self, inner: Floats) -> Floats:
        parameters = self.mix @ (inner.reshape(self.shape) / self.scale)
        parameters[:, :-1] = parameters[:, :-1] @ self.axes.T
        parameters[:, -1] -= parameters[:, :-1] @ self.mean
        return parameters


def _summed(examples: Examples, parameters: Floats, contrast: Floats) -> Sums:
    blocks = examples.blocks(_BLOCK)
    if len(blocks) <= 2:
        parts = [_block_sums(block, parameters, contrast) for block in blocks]
    else:
        with ThreadPoolExecutor(min(len(blocks), os.cpu_count() or 1, 8)) as pool:
            parts = list(pool.map(lambda block: _block_sums(block, parameters, contrast), blocks))
    loss, slope, curvature = (sum(column[1:], column[0]) for column in zip(*parts, strict=True))
    return Sums(loss, slope, curvature)


def _block_sums(examples: Examples, parameters: Floats, contrast: Floats) -> Sums:
    narrow = contrast.astype(np.float32)
    weights, bias = np.split(parameters.astype(np.float32).T, [-1])
    loss, slope = 0.0, np.zeros(parameters.shape)
    curvature = np.zeros((contrast.shape[1], contrast.shape[1]))
    for x, target, weight in examples.chunks(_CHUNK):
        logits = (x @ weights + bias) @ narrow.T
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        total = odds.sum(axis=1, keepdims=True)
        odds /= total
        drawn = odds @ narrow
        curvature += (narrow.T * (weight @ odds)) @ narrow - (drawn.T * weight) @ drawn
        each = np.log(total[:, 0])
        if target.ndim == 1:
            row = np.arange(len(target))
            each -= logits[row, target]
            odds[row, target] -= 1
        else:
            each -= (logits * target).sum(axis=1)
            odds -= target
        loss += float(each.astype(np.float64) @ weight)
        residual = (odds * weight[:, None]) @ narrow
        slope[:, :-1] += residual.T @ x
        slope[:, -1] += residual.sum(axis=0)
    return Sums(loss, slope, curvature)


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    """Products this thin gain nothing from BLAS's own threads, which wait by spinning."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
