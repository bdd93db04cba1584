"""Steps of EM over distinct rows of votes, several labeling functions at a time."""

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.base import Floats, Votes

_MANY_ROWS = 2_000
_MOST_CODES = 1_000


class Groups:
    """Rows of votes as one code per group of LFs: what all of a group do is looked up at once.

    Where rows are many; where they are few, every LF is a group.

    Parameters
    ----------
    patterns
        int8 [p, m], rows of votes.
    base
        What an LF may do, silence included: above the largest vote by 2 at least.
    """

    def __init__(self, patterns: Votes, base: int) -> None:
        p, m = patterns.shape
        self._base, self._m = base, m
        self._size = max(int(np.log(_MOST_CODES) / np.log(base)), 1) if p > _MANY_ROWS else 1
        self._count = -(-m // self._size)
        digits = np.zeros((p, self._count * self._size), np.int16)
        digits[:, :m] = patterns
        digits[:, :m] += 1
        values = base ** np.arange(self._size)[::-1]
        self._codes = digits.reshape(p, self._count, self._size) @ values.astype(np.int16)
        every = np.arange(base**self._size)[:, None] // values % base
        # float64 [s, size · base]: 1 for what each LF of a group does, by the group's code
        self._does = np.eye(base)[every].reshape(len(every), -1)

    def weigh(self, table: Floats, start: Floats) -> Floats:
        """Turn scores into probabilities, float64 [p, K].

        Parameters
        ----------
        table
            float64 [m, base, K], what an LF adds to a class's score: by silence, then each symbol.
        start
            float64 [K], added to.
        """
        from epoxy_core.label_model import kernels

        k = len(start)
        every = np.zeros((self._count * self._size, self._base, k))
        every[: self._m] = table
        sums = self._does @ every.reshape(self._count, self._does.shape[1], k)
        posterior = np.empty((len(self._codes), k))
        kernels.score(self._codes, sums, start, posterior)
        np.exp(posterior, out=posterior)  # many at a time, which kernels do not
        kernels.normalize(posterior)
        return posterior

    def count(self, counts: npt.NDArray[np.int64], posterior: Floats) -> Floats:
        """Count by class what each LF does, float64 [m, base, K].

        Parameters
        ----------
        counts
            int64 [p], how often each row occurs.
        posterior
            float64 [p, K].
        """
        from epoxy_core.label_model import kernels

        k = posterior.shape[1]
        seen = np.zeros((self._count, len(self._does), k))
        kernels.count_by_class(self._codes, counts, posterior, seen)
        each = (self._does.T @ seen).reshape(self._count * self._size, self._base, k)
        return each[: self._m]
