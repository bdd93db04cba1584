"""Whether abstaining says something of the class: decided by what the classes explain."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.base import Floats
from epoxy_core.label_model.dependencies import representatives
from epoxy_core.label_model.unique_votes import UniqueVotes

LEAST_EXPLAINED = 0.9
"""Share of the detectors' co-voting that the classes must explain.

On votes drawn from a known model it is .97 and more; on real sets of keyword LFs, where taking
silence for evidence cost up to .28 of accuracy, at most .82.
"""
_LEAST_EXCESS = 2.0
_MOST_OVERTURNED = 0.05

Flags = npt.NDArray[np.bool_]


class Abstention(NamedTuple):
    """What was decided, and why.

    Attributes
    ----------
    informative
        Whether the silence of LFs that vote one symbol only counts.
    explained
        Share of their co-voting beyond chance that the classes explain; NaN if not looked at.
    reason
        One sentence.
    """

    informative: bool
    explained: float
    reason: str


def detectors(unique: UniqueVotes) -> Flags:
    """Tell the LFs that vote, one symbol only, and never with a probability: bool [m]."""
    patterns = unique.patterns
    voted = patterns >= 0
    lowest = np.where(voted, patterns, np.int8(127)).min(axis=0, initial=127)
    same = voted.any(axis=0) & (lowest == patterns.max(axis=0, initial=-1))
    if unique.strength is None:
        return np.asarray(same)
    return np.asarray(same & (np.where(voted, unique.strength, 1) == 1).all(axis=0))


class CoVoting:
    """How often pairs of detectors vote on the same item, against what chance gives.

    Parameters
    ----------
    unique
        The votes.
    """

    def __init__(self, unique: UniqueVotes) -> None:
        speaks = detectors(unique)
        self.unique, self._speaks = unique, speaks
        self._counts = unique.counts.astype(np.float64)
        self._voted = (unique.patterns[:, speaks] >= 0).astype(np.float64)
        self._n = max(float(self._counts.sum()), 1.0)
        self.lfs = int(speaks.sum())
        self.pairs = self.lfs * (self.lfs - 1) // 2
        voting = int((unique.patterns >= 0).any(axis=0).sum())
        self.all_pairs = voting * (voting - 1) // 2
        self._upper = np.triu_indices(self.lfs, 1)
        coverage = self._counts @ self._voted / self._n
        self._met = (self._voted * self._counts[:, None]).T @ self._voted
        self._independent = self._n * np.outer(coverage, coverage)
        rest = coverage * (1 - coverage)
        self._variance = np.maximum(self._n * np.outer(rest, rest), 1)

    @property
    def excess(self) -> float:
        """Mean squared distance from independence, in variances: 1 if LFs vote independently."""
        return self._distance(self._independent, self._upper) / max(self.pairs, 1)

    def explained(self, posterior: Floats, dependence: Floats) -> float:
        """Share of the excess that is gone if LFs vote independently given the class.

        With O_ij the items on which both vote, and E0 and E1 those expected if LFs vote
        independently, and independently within each class: 1 − Σ(O−E1)²/V ÷ Σ(O−E0)²/V, both sums
        less the number of pairs, which is what counting noise adds to them. Pairs that are known
        to depend on one another within the classes are left out.

        Parameters
        ----------
        posterior
            float64 [p, K], of the distinct rows of votes.
        dependence
            float64 [m, m], zero for pairs that are independent given the class.
        """
        among = dependence[np.ix_(self._speaks, self._speaks)]
        pairs = np.nonzero(np.triu(among <= 0, 1))
        mass = posterior * self._counts[:, None]
        of_class = mass.sum(axis=0)
        coverage = self._voted.T @ mass / np.maximum(of_class, 1e-9)
        within = (coverage * of_class) @ coverage.T
        before = self._distance(self._independent, pairs) - len(pairs[0])
        after = max(self._distance(within, pairs) - len(pairs[0]), 0.0)
        return float(1 - after / before) if before > 0 else 0.0

    def _distance(self, expected: Floats, pairs: tuple[npt.NDArray[np.intp], ...]) -> float:
        return float((((self._met - expected) ** 2 / self._variance)[pairs]).sum())


def witnesses(unique: UniqueVotes, dependence: Floats) -> Flags:
    """Of LFs that depend on one another, tell one, bool [m].

    One that votes one symbol only, if there is one, for its silence is understood; and of those
    the one with most votes.
    """
    votes = unique.counts @ (unique.patterns >= 0)
    return representatives(dependence, votes + np.where(detectors(unique), unique.counts.sum(), 0))


def overturned(unique: UniqueVotes, posterior: Floats, heard: Flags) -> float:
    """Share of the items whose two or more votes all say one class that get another label.

    Parameters
    ----------
    unique
        The votes.
    posterior
        float64 [p, K].
    heard
        bool [m], the LFs whose votes count.
    """
    tally = unique.tally(heard.astype(np.float64))
    total = (unique.patterns[:, heard] >= 0).sum(axis=1)
    agreed = (total >= 2) & (tally.max(axis=1) > total - 0.5)
    weight = unique.counts[agreed]
    other = posterior[agreed].argmax(axis=1) != tally[agreed].argmax(axis=1)
    return float(other @ weight / max(weight.sum(), 1))


def without_fit(co_voting: CoVoting) -> Abstention | None:
    """Decide from the counts alone, where they suffice; None: it takes a fit."""
    nan, n = float("nan"), co_voting.lfs
    if n == 0:
        return Abstention(False, nan, "No LF votes one class only.")
    if co_voting.all_pairs <= (co_voting.unique.n_classes - 1) * n:
        return Abstention(
            False, nan, f"Too few LFs to tell what the silence of {n} that vote one class says."
        )
    if co_voting.excess < _LEAST_EXCESS:
        return Abstention(False, nan, "LFs vote on the same items about as often as chance has it.")
    return None


def after_fit(
    co_voting: CoVoting, understood: Floats, posterior: Floats, dependence: Floats
) -> Abstention:
    """Decide by what a model in which silence counts makes of the votes.

    Parameters
    ----------
    co_voting
        The votes.
    understood
        float64 [p, K], that model's posterior by the LFs whose part in it is understood; it is to
        explain how LFs vote together.
    posterior
        float64 [p, K], its posterior by all; it is to leave unanimous votes alone.
    dependence
        See `CoVoting.explained`.
    """
    unique = co_voting.unique
    explained = co_voting.explained(understood, dependence)
    against = overturned(unique, posterior, witnesses(unique, dependence))
    share = f"The classes explain {max(explained, 0):.0%} of how often LFs vote together"
    if explained < LEAST_EXPLAINED:
        reason = f"{share}, less than {LEAST_EXPLAINED:.0%}: something else makes them vote."
        return Abstention(False, explained, reason)
    if against > _MOST_OVERTURNED:
        reason = f"{share}, but {against:.0%} of unanimous votes would be overturned."
        return Abstention(False, explained, reason)
    return Abstention(True, explained, f"{share}: an LF's silence is evidence, too.")
