"""What labeling functions say of the items that another one votes on."""

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.base import TIE, Floats, share_of_top
from epoxy_core.label_model.unique_votes import UniqueVotes


def said_without(
    unique: UniqueVotes,
    evidence: Floats,
    silence: Floats,
    left_out: npt.NDArray[np.bool_],
    least: int = 0,
) -> tuple[Floats, Floats]:
    """What the other LFs say where an LF casts a symbol.

    Parameters
    ----------
    unique
        The votes.
    evidence, silence
        float64 [m, S, K] and [m, K], what is added to a class's score.
    left_out
        bool [m, m]: who is not listened to, for each LF.
    least
        Rows with fewer votes are not looked at.

    Returns
    -------
    said
        float64 [m, S + 1, K]: items by what the LF does (silence first) and by the class that
        is the most probable one for the others; classes that tie share an item.
    votes
        float64 [m, S], how often the LF casts each symbol in the rows that are looked at. The
        vote is what a soft one names.
    """
    from epoxy_core.label_model import kernels

    m, n_symbols, k = evidence.shape
    unique.check(n_symbols)
    seen = np.zeros((m, n_symbols + 1, k))
    if unique.strength is None:
        table = np.concatenate([silence[:, None], evidence], axis=1)
        width = int(left_out.sum(axis=1).max(initial=0))
        out = np.argsort(~left_out, axis=1, kind="stable")[:, :width]
        out = np.where(np.take_along_axis(left_out, out, axis=1), out, -1)
        kernels.say_without(unique.patterns, unique.counts, table, out, least, TIE, seen)
        return seen, seen[:, 1:].sum(axis=2)
    cast = unique.cast(n_symbols)[unique.n_votes >= least].tocsc()
    patterns, counts = (
        unique.patterns[unique.n_votes >= least],
        unique.counts[unique.n_votes >= least],
    )
    silent = patterns < 0
    each = [
        cast[:, lf * n_symbols : (lf + 1) * n_symbols] @ evidence[lf]
        + silent[:, lf, None] * silence[lf]
        for lf in range(m)
    ]
    total = np.sum(each, axis=0)
    for lf, votes in enumerate(patterns.T):
        others = sum(each[other] for other in np.flatnonzero(left_out[lf]))
        shares = share_of_top(total - others) * counts[:, None]
        for symbol in range(-1, n_symbols):
            seen[lf, symbol + 1] = shares[votes == symbol].sum(axis=0)
    return seen, seen[:, 1:].sum(axis=2)
