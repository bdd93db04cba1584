"""Probabilities that mean what they say: temperature and bias scaling."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError

_LEAST = 1e-12
_ENOUGH = 100_000  # rows for a fit of 1 + K numbers

Floats = npt.NDArray[np.float64]
Targets = npt.NDArray[np.integer] | npt.NDArray[np.floating]


@dataclass(frozen=True)
class Scaling:
    """softmax(logits / temperature + bias).

    Attributes
    ----------
    temperature
        Above 1, probabilities become flatter; below 1, sharper.
    bias
        Added to the classes' scaled logits; nothing when empty.
    """

    temperature: float = 1.0
    bias: tuple[float, ...] = ()

    def apply(self, logits: Floats) -> Floats:
        """Probabilities, float64 [n, K]; rows sum to 1."""
        scaled = logits / self.temperature
        if self.bias:
            scaled = scaled + np.asarray(self.bias)
        odds = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def rescale(self, probabilities: Floats) -> Floats:
        """Do the same to probabilities; 0 stays 0."""
        with np.errstate(divide="ignore"):
            return self.apply(np.log(probabilities))


def fit_scaling(
    probabilities: Floats,
    targets: Targets,
    sample_weight: Floats | None = None,
    *,
    bias: bool = False,
) -> Scaling:
    """Fit temperature scaling (Guo et al. 2017), with a bias per class if asked.

    Minimises the cross-entropy against the targets plus (log temperature)²/2 and ‖bias‖²/2, a
    prior worth about an item, without which a few items that are all predicted right would send
    the temperature to 0. More than 100,000 rows are thinned evenly.

    Parameters
    ----------
    probabilities
        float64 [n, K], of items the predictor was not trained on.
    targets
        int [n] classes, or float [n, K] probabilities.
    sample_weight
        float64 [n]; ones when absent.
    bias
        Whether to fit one.
    """
    from scipy.optimize import minimize

    n, k = probabilities.shape
    if len(targets) != n:
        raise EpoxyError(
            f"{len(targets)} labels for {n} predictions",
            where="calibration",
            remedy="Give both in the order of the items.",
        )
    step = max(1, -(-n // _ENOUGH))
    logits = np.log(np.maximum(probabilities[::step], _LEAST))
    wanted = targets[::step]
    wanted = np.eye(k)[wanted] if wanted.ndim == 1 else wanted
    weight = np.ones(n) if sample_weight is None else sample_weight
    weight = weight[::step] * step

    def objective(flat: Floats) -> tuple[float, Floats]:
        scaled = logits * np.exp(-flat[0])
        shifted = scaled + flat[1:] if bias else scaled
        shifted = shifted - shifted.max(axis=1, keepdims=True)
        total = np.exp(shifted).sum(axis=1, keepdims=True)
        residual = weight[:, None] * (np.exp(shifted) / total - wanted)
        loss = weight @ (np.log(total[:, 0]) - (wanted * shifted).sum(axis=1))
        slope = flat.copy()
        slope[0] -= (residual * scaled).sum()
        if bias:
            slope[1:] += residual.sum(axis=0)
        return float(loss + flat @ flat / 2), slope

    found = minimize(objective, np.zeros(1 + k * bias), jac=True, method="L-BFGS-B").x
    return Scaling(float(np.exp(found[0])), tuple(float(b) for b in found[1:]))
