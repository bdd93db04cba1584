"""The posterior where votes were borrowed."""

import numpy as np

from epoxy_core.label_model.base import Floats, Votes, softmax

_LEAST = 1e-12


def extended_posterior(
    own_posterior: Floats,
    own_votes: Votes,
    extended_votes: Votes,
    weights: Floats,
    *,
    keep_own: bool = True,
) -> Floats:
    """Add calibrated borrowed votes to the posterior from own votes.

    The log-posterior of an item gains each borrowed vote's weight on the class that the vote names;
    against the class, if the vote is (its weight is negative). An item
    without own votes starts from the class balance, which is its ``own_posterior``. Borrowed
    votes of an item share one embedding and are not independent, so by default they never move
    an item that has own votes. For borrowed votes that count as own ones (the Epoxy paper), give
    the extended votes to ``LabelModel.predict_proba`` instead.

    Parameters
    ----------
    own_posterior
        float64 [n, K], the label model's on ``own_votes``.
    own_votes
        int8 [n, m].
    extended_votes
        int8 [n, m], K + a class for a vote against it.
    weights
        float64 [n, m], ``BorrowedVoteCalibration.weight`` of the extended votes; those of own
        votes are not read.
    keep_own
        Whether items with own votes keep their posterior as it is.

    Returns
    -------
    float64 [n, K], rows sum to 1.
    """
    borrowed = (own_votes < 0) & (extended_votes >= 0)
    if keep_own:
        borrowed &= ~(own_votes >= 0).any(axis=1, keepdims=True)
    touched = np.flatnonzero(borrowed.any(axis=1))
    logits = np.log(np.maximum(own_posterior[touched], _LEAST))
    n_classes = own_posterior.shape[1]
    for lf in range(own_votes.shape[1]):
        rows = np.flatnonzero(borrowed[touched, lf])
        items = touched[rows]
        logits[rows, extended_votes[items, lf] % n_classes] += weights[items, lf]
    posterior = own_posterior.copy()
    posterior[touched] = softmax(logits)
    return posterior
