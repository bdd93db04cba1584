"""EM steps, extrapolated: a tenth of them where EM is slow."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from epoxy_core.label_model.base import Floats

_LONGEST = 64.0
_NOTHING = 1e-300

Parameters = tuple[Floats, ...]


class FixedPoint(NamedTuple):
    """Where the steps led.

    Attributes
    ----------
    parameters
        The last step's.
    n_steps
        Steps made.
    converged
        Whether the last one moved nothing by more than the tolerance.
    """

    parameters: Parameters
    n_steps: int
    converged: bool


def squarem(
    step: Callable[[Parameters], Parameters],
    start: Parameters,
    tolerance: float,
    max_steps: int,
) -> FixedPoint:
    """Find where EM stands still.

    Two steps tell direction and curvature, from which the next start is extrapolated
    (Varadhan & Roland 2008, SQUAREM, step length S3), here in logarithms; a plain step follows,
    so what is returned always comes of one. The likelihood is not looked at: to be started near
    the fixed point, as by EM for a neighbouring problem.

    Parameters
    ----------
    step
        One EM step, from probabilities to probabilities. Those it is given may not sum to one.
    start
        Probabilities, in arrays of any shapes; zeros stay.
    tolerance
        Stops when a step moves none by more.
    max_steps
        Stops after as many, or two more.
    """
    now, n_steps = start, 0
    while True:
        one = step(now)
        two = step(one)
        n_steps += 2
        moved = max(np.abs(b - a).max(initial=0) for a, b in zip(one, two, strict=True))
        if moved <= tolerance or n_steps >= max_steps:
            return FixedPoint(two, n_steps, bool(moved <= tolerance))
        now = step(_extrapolated(now, one, two))
        n_steps += 1


def _extrapolated(zero: Parameters, one: Parameters, two: Parameters) -> Parameters:
    logs = [
        [np.log(np.maximum(array, _NOTHING)) for array in parameters]
        for parameters in (zero, one, two)
    ]
    first = [b - a for a, b in zip(logs[0], logs[1], strict=True)]
    bend = [c - b - r for b, c, r in zip(logs[1], logs[2], first, strict=True)]
    length = np.sqrt(_squares(first) / max(_squares(bend), _NOTHING))
    length = min(max(float(length), 1.0), _LONGEST)
    return tuple(
        np.where(array > 0, np.exp(np.minimum(a + 2 * length * r + length**2 * v, 0)), 0)
        for array, a, r, v in zip(two, logs[0], first, bend, strict=True)
    )


def _squares(arrays: list[Floats]) -> float:
    return float(sum((array**2).sum() for array in arrays))
