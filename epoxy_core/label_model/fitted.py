"""What a fit of Dawid–Skene comes to."""

from dataclasses import dataclass

from epoxy_core.label_model.base import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What EM arrived at.

    Attributes
    ----------
    given
        float64 [m, S, K], P(symbol | class); of LFs that are no detectors, given that they vote.
    quiet
        float64 [m, K], P(silence | class) of detectors; 0 for others.
    evidence, silence
        float64 [m, S, K] and [m, K], logarithms of what counts, weighted; 0 for what does not.
    balance
        float64 [K].
    posterior
        float64 [p, K], by these.
    n_iterations, converged
        Steps made, and whether nothing moved any more.
    """

    given: Floats
    quiet: Floats
    evidence: Floats
    silence: Floats
    balance: Floats
    posterior: Floats
    n_iterations: int
    converged: bool
