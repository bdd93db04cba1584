"""How much a borrowed vote is worth, by its similarity, without any label."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from epoxy_core.extension.nearest import read_only
from epoxy_core.labeling import beyond_chance, has_negative, log_odds_added
from epoxy_core.threads import by_rows

_PARTS = 1 << 32  # of a probability: whole numbers add up to the same in any order
_ROWS_WORTH_A_THREAD = 20_000
_STEPS = 512  # grid points per unit of similarity
_MAX_ACCURACY = 0.98
_MIN_CONFIDENCE = 0.05
_PRIOR_VOTES = 50.0
_POOL_VOTES = 200.0

Floats = npt.NDArray[np.float64]


class BorrowedVoteCalibration:
    """Accuracy of borrowed votes against similarity, from how they agree with own votes.

    Where LF j abstains on an item that other LFs cover, the posterior from the item's own votes
    (LF j has none there, so they are the other LFs') judges the vote that LF j would borrow. An
    isotonic regression of the posterior's probability of the borrowed class on similarity is
    pooled over LFs, then refitted per LF with the pooled curve as 200 pseudo-votes. The pooled
    fit in turn has 50 pseudo-votes on a straight line from chance at similarity ``floor`` to the
    LFs' mean accuracy at similarity 1, which is all there is when LFs never overlap.

    A posterior of mean confidence c would give c to a vote that is always right and
    (1−c)/(K−1) to one that is always wrong; the agreement is rescaled from that range to [0, 1].
    c is taken over the same items as the agreement. The accuracy is kept in [1/K, 0.98] and
    never above the LF's own.

    A vote against a class is measured like one for a class that knows as much beyond chance:
    where the posterior gives the class it names q, it agrees by 1 − (K−1)·q, which is chance, 1/K,
    at q = 1/K; one that is always right or always wrong agrees so that the same rescaling fits. So
    votes of both kinds share a curve, which is read as the accuracy of votes for a class. What a
    soft vote claims is not read here; it counts in ``weight``.

    Parameters
    ----------
    n_classes
        K.
    floor
        Similarity of unrelated items, where the prior line is at chance: `random_similarity`.

    Attributes
    ----------
    grid_
        float64 [g], similarities from −1 to 1.
    curve_
        float64 [m, g], accuracy of each LF's borrowed votes for a class on the grid, ascending.
    evidence_
        int64 [m], borrowed votes on items covered by other LFs.
    confidence_
        Mean confidence c; NaN without evidence.
    thresholds_
        float64 [m], ``thresholds()``.
    """

    def __init__(self, n_classes: int, floor: float = 0.0) -> None:
        self.n_classes = n_classes
        self.floor = floor

    def fit(
        self,
        own_posterior: Floats,
        own_votes: npt.NDArray[np.int8],
        extended_votes: npt.NDArray[np.int8],
        similarity: npt.NDArray[np.float32],
        accuracy: Floats,
    ) -> Self:
        """Fit the curves.

        Parameters
        ----------
        own_posterior
            float64 [n, K], from own votes.
        own_votes
            int8 [n, m].
        extended_votes
            int8 [n, m], extended with a threshold low enough to see unrelated items.
        similarity
            float32 [n, m], of extended votes to their sources.
        accuracy
            float64 [m], the LFs' own accuracies (``LabelModel.accuracy_``).
        """
        return self.fit_columns(
            own_posterior,
            np.arange(len(own_votes), dtype=np.int32),
            np.flatnonzero((own_votes >= 0).any(axis=1)).astype(np.int32),
            list(np.ascontiguousarray(own_votes.T)),
            list(np.ascontiguousarray(extended_votes.T)),
            list(np.ascontiguousarray(similarity.T)),
            accuracy,
        )

    def fit_columns(
        self,
        own_posterior: Floats,
        pattern: npt.NDArray[np.int32],
        covered: npt.NDArray[np.int32],
        own_votes: Sequence[npt.NDArray[np.int8]],
        extended_votes: Sequence[npt.NDArray[np.int8]],
        similarity: Sequence[npt.NDArray[np.float32]],
        accuracy: Floats,
    ) -> Self:
        """`fit` on votes by column, contiguous, and on a posterior of distinct rows of votes.

        Parameters
        ----------
        own_posterior
            float64 [p, K].
        pattern
            int32 [n], each item's row of it.
        covered
            int32 [c], items with own votes.
        own_votes, extended_votes, similarity, accuracy
            As in ``fit``, [n] for each LF.
        """
        from epoxy_core.extension import kernels

        n_lfs = len(own_votes)
        self.grid_ = np.arange(-_STEPS, _STEPS + 1) / _STEPS
        parts = np.rint(own_posterior * _PARTS).astype(np.int64)
        top = parts.max(axis=1, initial=0)
        counted, agreed = np.zeros((2, n_lfs, len(self.grid_)), np.int64)
        confident = np.zeros(n_lfs, np.int64)

        def judge(first: int, last: int) -> None:
            for lf in range(first, last):
                columns = (own_votes[lf], extended_votes[lf], similarity[lf])
                own, extended, near = (read_only(column) for column in columns)
                confident[lf] = kernels.judge_borrowed(
                    covered,
                    own,
                    extended,
                    near,
                    pattern,
                    parts,
                    top,
                    _PARTS,
                    counted[lf],
                    agreed[lf],
                )

        by_rows(n_lfs, judge, least=1 if len(covered) > _ROWS_WORTH_A_THREAD else n_lfs + 1)
        counts, agreement = counted.astype(np.float64), agreed / _PARTS
        self.evidence_ = counted.sum(axis=1)
        evidence = int(self.evidence_.sum())
        self.confidence_ = int(confident.sum()) / _PARTS / evidence if evidence else float("nan")

        k = self.n_classes
        own = self._of_class_votes(accuracy, own_votes)
        self._own_accuracy = np.clip(own, 1 / k, _MAX_ACCURACY)
        right = self._unbiased(agreement, counts)
        pool = self._isotonic(right.sum(axis=0), counts.sum(axis=0), self._prior(), _PRIOR_VOTES)
        self.curve_ = np.empty_like(counts)
        for lf in range(n_lfs):
            curve = self._isotonic(right[lf], counts[lf], pool, _POOL_VOTES)
            self.curve_[lf] = np.clip(curve, 1 / k, self._own_accuracy[lf])
        self.thresholds_ = self.thresholds()
        return self

    def accuracy(self, similarity: npt.NDArray[np.float32]) -> Floats:
        """Estimate P(a vote for a class borrowed at this similarity is correct).

        Parameters
        ----------
        similarity
            float [n, m], one column per LF; NaN = abstain, for which the answer is chance.
        """
        result = np.empty(similarity.shape)
        for lf, curve in enumerate(self.curve_):
            result[:, lf] = np.interp(similarity[:, lf], self.grid_, curve)
        result[np.isnan(result)] = 1 / self.n_classes
        return result

    def weight(
        self,
        similarity: npt.NDArray[np.float32],
        votes: npt.NDArray[np.int8] | None = None,
        strength: npt.NDArray[np.float32] | None = None,
    ) -> Floats:
        """Give what a borrowed vote adds to the log-odds of the class it names.

        Parameters
        ----------
        similarity
            float [n, m], one column per LF.
        votes
            int8 [n, m], the borrowed votes; None: all are for a class.
        strength
            float32 [n, m], their own probabilities; None: all are plain.

        Returns
        -------
        float64 [n, m]: for a plain vote for a class log(acc·(K−1)/(1−acc)) ≥ 0; for others see
        `log_odds_added`.
        """
        accuracy = self.accuracy(similarity)
        cast = np.zeros(accuracy.shape, np.int8) if votes is None else votes
        return log_odds_added(accuracy, cast, strength, self.n_classes)

    def weight_of(
        self,
        lf: int,
        similarity: npt.NDArray[np.float32],
        votes: npt.NDArray[np.int8],
        strength: npt.NDArray[np.float32],
    ) -> Floats:
        """`weight` of some votes of one LF, [r] each."""
        accuracy = np.interp(similarity, self.grid_, self.curve_[lf])
        return log_odds_added(accuracy, votes, strength, self.n_classes)

    def curve_weights(self) -> Floats:
        """What a plain vote for a class adds, by similarity on the grid: float64 [m, g]."""
        return self._log_odds(self.curve_)

    def thresholds(self, share: float = 0.1) -> Floats:
        """Find each LF's lowest similarity with ``share`` of an own vote's weight.

        Below a tenth a borrowed vote is as good as an abstain. Where borrowed votes are to count
        as own ones, a half is the break-even of `dev_threshold`. 1 (only exact duplicates
        borrow) where no similarity will do.

        Returns
        -------
        float64 [m], similarities of ``grid_``.
        """
        own = self._log_odds(self._own_accuracy)
        enough = self._log_odds(self.curve_) >= np.maximum(share * own, 1e-9)[:, None]
        return np.where(enough.any(axis=1), self.grid_[enough.argmax(axis=1)], 1.0)

    def _of_class_votes(
        self, accuracy: Floats, own_votes: Sequence[npt.NDArray[np.int8]]
    ) -> Floats:
        """Accuracies as they would be with the same knowledge, if all votes were for classes."""
        k = self.n_classes
        if not any(has_negative(votes, k) for votes in own_votes):
            return accuracy
        voted = np.array([max(int(np.count_nonzero(votes >= 0)), 1) for votes in own_votes])
        against = np.array([np.count_nonzero(votes >= k) for votes in own_votes])
        guess = 1 / k + (1 - 2 / k) * against / voted
        return np.asarray(1 / k + beyond_chance(accuracy, guess) * (1 - 1 / k))

    def _unbiased(self, agreement: Floats, counts: Floats) -> Floats:
        """Rescale sums of agreement to sums of correct votes."""
        wrong = (1 - self.confidence_) / (self.n_classes - 1)
        if not self.confidence_ - wrong >= _MIN_CONFIDENCE:  # also when it is NaN
            return counts / self.n_classes
        return (agreement - wrong * counts) / (self.confidence_ - wrong)

    def _prior(self) -> Floats:
        chance = 1 / self.n_classes
        own = float(self._own_accuracy.mean()) if len(self._own_accuracy) else chance
        rise = np.clip((self.grid_ - self.floor) / max(1 - self.floor, 1e-9), 0, 1)
        return chance + (own - chance) * rise

    def _isotonic(self, right: Floats, counts: Floats, prior: Floats, weight: float) -> Floats:
        """Fit an ascending curve to right/counts and ``weight`` pseudo-votes on the prior."""
        from scipy.optimize import isotonic_regression

        pseudo = weight / len(self.grid_)
        weights = counts + pseudo
        fitted = isotonic_regression((right + pseudo * prior) / weights, weights=weights)
        return np.asarray(fitted.x, dtype=np.float64)

    def _log_odds(self, accuracy: Floats) -> Floats:
        return np.log(accuracy * (self.n_classes - 1)) - np.log1p(-accuracy)
