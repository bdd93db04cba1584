"""How right each LF's votes are by one label model's posterior."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.base import (
    PRIOR_ACCURACY,
    PRIOR_OVERLAPS,
    Floats,
    Votes,
)
from epoxy_core.label_model.triplets import Triplets
from epoxy_core.label_model.unique_votes import UniqueVotes
from epoxy_core.labeling import allowed, beyond_chance

_PRIOR_VOTES = 2.0
_VIEWS = 3

Flags = npt.NDArray[np.bool_]


class Figures:
    """Accuracies and precisions by several label models, NaN where one is not heard.

    Parameters
    ----------
    unique
        The votes that the figures are about.

    Attributes
    ----------
    cast
        int64 [m, S], how often each LF cast each symbol.
    accuracy
        Of every model float64 [m], P(vote true | LF voted).
    precision
        Of every model float64 [m, S], P(vote true | LF cast the symbol).
    """

    def __init__(self, unique: UniqueVotes) -> None:
        k, symbols = unique.n_classes, range(unique.n_symbols)
        self.unique = unique
        self.cast = np.stack([unique.counts @ (unique.patterns == v) for v in symbols], axis=1)
        self.accuracy: list[Floats] = []
        self.precision: list[Floats] = []
        self._true = allowed(k)[: unique.n_symbols]
        self._prior_accuracy = unique.prior_accuracy()
        guess = self._true.mean(axis=1)
        self._prior_precision = guess + beyond_chance(PRIOR_ACCURACY, 1 / k) * (1 - guess)

    def hear(self, posterior: Floats) -> Self:
        """Add those of a posterior of the items, float64 [n, K]."""
        claims = self._claims(posterior)
        self.accuracy.append(self.accuracy_of(claims))
        self.precision.append(self.precision_of(claims))
        return self

    def accuracy_of(self, claims: Floats) -> Floats:
        """[…, m] from claims […, m, S, K], shrunk by 30 pseudo-votes."""
        right = (claims * self._true).sum(axis=(-2, -1)) + PRIOR_OVERLAPS * self._prior_accuracy
        return np.asarray(right / (claims.sum(axis=(-2, -1)) + PRIOR_OVERLAPS))

    def precision_of(self, claims: Floats) -> Floats:
        """[…, m, S] from claims […, m, S, K], shrunk by 2 pseudo-votes."""
        right = (claims * self._true).sum(axis=-1) + _PRIOR_VOTES * self._prior_precision
        return np.asarray(right / (claims.sum(axis=-1) + _PRIOR_VOTES))

    def hear_triplets(
        self,
        votes: Votes,
        class_balance: Sequence[float] | None,
        detectors: Flags,
        *,
        silence: bool,
    ) -> Self:
        """Add those of triplets.

        LFs that cast one symbol only (``detectors``) agree always or never, whatever they are
        worth. They are left out for the others; they are heard themselves unless Dawid–Skene is
        tied down: unless their silence is known to speak, under a known class balance, with three
        LFs or more for each symbol.
        """
        k = self.unique.n_classes
        lonely = ((self.cast > 0) & ((self.cast > 0).sum(axis=0) < _VIEWS)).any(axis=1)
        loose = detectors & (lonely | (class_balance is None or not silence))
        for ignored, heard in ((detectors, ~detectors), (np.zeros_like(loose), loose)):
            if heard.any():
                asked = np.where(ignored, np.int8(-1), votes)
                model = Triplets(k, class_balance).fit(asked)
                claims = self._claims(model.predict_proba(asked))
                precision = np.where(heard[:, None], self.precision_of(claims), np.nan)
                self.accuracy.append(np.where(heard, model.accuracy_, np.nan))
                self.precision.append(precision)
        return self

    def _claims(self, posterior: Floats) -> Floats:
        """Expected number of votes v of LF j on items of class k, [m, S, K]."""
        unique, k = self.unique, self.unique.n_classes
        p = len(unique.patterns)
        sums = [np.bincount(unique.inverse, column, minlength=p) for column in posterior.T]
        weighted = np.stack(sums, axis=1).reshape(p, k)
        symbols = range(unique.n_symbols)
        return np.stack([(unique.patterns == v).T @ weighted for v in symbols], axis=1)
