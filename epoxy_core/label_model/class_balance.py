"""The class balance from votes alone: by which labeling functions, and how far it is believed."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.abstention import detectors, witnesses
from epoxy_core.label_model.base import Floats
from epoxy_core.label_model.em import LEAST_SHARE, AnchoredEM
from epoxy_core.label_model.fitted import Fitted
from epoxy_core.label_model.unique_votes import UniqueVotes

_LEAST_OF_EVEN = 0.4
_LEAST_VOTES = 0.8
_FEWEST = 3
_FEWEST_LEFT_OUT = 5
_GROUPS = 10
_MOST_PATTERNS = 4_000
_SAMPLED_ITEMS = 10_000
_TOLERANCE, _MOST_STEPS = 1e-4, 200
_COARSE, _FEWER_STEPS = 1e-3, 60

Flags = npt.NDArray[np.bool_]


WHERE_SILENCE_COUNTS = "The classes explain how often LFs vote together."
WHERE_IT_DOES_NOT = "Whichever LF is left out, the votes tell much the same."
"""Why a balance is believed that was learned."""


def with_silence(
    em: AnchoredEM, found: Fitted, dependence: Floats, *, learn_balance: bool
) -> Fitted:
    """Fit the LFs whose part in the classes is understood, where silence counts.

    Of LFs that depend on one another one is listened to: a copy's agreement would be taken for a
    class's. Of LFs whose silence is not modelled those are that vote every class, for whether
    another votes depends on the class. If two or fewer LFs are left, this is the fit of all.

    Parameters
    ----------
    em
        In which silence counts.
    found
        Its fit.
    dependence
        float64 [m, m].
    learn_balance
        Whether the class balance is learned; else it is held.
    """
    kept = trusted(em.unique, dependence, informative=True)
    if kept.sum() < _FEWEST:
        return found
    weights = kept.astype(np.float64)
    settings = _TOLERANCE, _MOST_STEPS
    return em.fit_near(found.posterior, weights, *settings, learn_balance=learn_balance)


def without_silence(em: AnchoredEM, found: Fitted, dependence: Floats) -> Floats:
    """Learn the class balance where silence does not count, float64 [K], as far as votes tell it.

    What whether an LF votes says of the class is not looked at then. So it is left as it is if
    LFs that vote every class have less than four fifths of the votes (to pick out those that do
    would be to pick classes); and if a share comes to its least, where EM has run away.

    Otherwise it is learned from one LF of those that depend on one another, and from 10,000
    items, if there are many. How far it is from the balance held is compared with its standard
    error, by leaving out each LF in turn (each of ten groups, if there are more; jackknife), and
    it is shrunk towards that balance by the part of the squared distance which is error (James &
    Stein 1961).

    Parameters
    ----------
    em
        In which silence does not count; it holds a balance that is not known to be right.
    found
        Its fit.
    dependence
        float64 [m, m].
    """
    held = found.balance
    kept = trusted(em.unique, dependence, informative=False)
    if kept.sum() < _FEWEST_LEFT_OUT:
        return held
    start, (rows, sample) = found.posterior, _sampled(em.unique)
    if sample is not em.unique:
        em, start = em.on(sample), start[rows]
    weights = kept.astype(np.float64)
    fitted = em.fit_near(start, weights, _TOLERANCE, _MOST_STEPS, learn_balance=True)
    distance = _apart(fitted.balance, held)
    ran_away = fitted.balance.min() <= 1.01 * LEAST_SHARE / len(held)
    error = np.inf if ran_away else _jackknife(em, kept, fitted)
    if distance <= error:
        return held
    return np.asarray(held + (1 - (error / distance) ** 2) * (fitted.balance - held))


def trusted(unique: UniqueVotes, dependence: Floats, *, informative: bool) -> Flags:
    """Tell the LFs whose part in the classes is understood, bool [m]; none if they are too few.

    An LF votes every class if none has less than .4 of an even share of its votes.

    Parameters
    ----------
    unique
        The votes.
    dependence
        float64 [m, m].
    informative
        Whether the silence of LFs that vote one symbol only counts.
    """
    k, n_symbols, m = unique.n_classes, unique.n_symbols, unique.patterns.shape[1]
    shown = unique.symbol_counts.reshape(m, n_symbols // k, k)
    votes = shown.sum(axis=2)
    every = (shown.min(axis=2) * k >= _LEAST_OF_EVEN * votes).all(axis=1) & (votes.sum(axis=1) > 0)
    modelled = every | detectors(unique) if informative else every
    one_each = witnesses(unique, dependence)
    kept = one_each & modelled
    enough = informative or votes[kept].sum() >= _LEAST_VOTES * votes[one_each].sum()
    return np.asarray(kept & enough)


def _jackknife(em: AnchoredEM, kept: Flags, fitted: Fitted) -> float:
    """Standard error of the balance over LFs, in total variation."""
    lfs = np.flatnonzero(kept)
    groups = min(_GROUPS, len(lfs))
    squares = 0.0
    for group in range(groups):
        weights = kept.astype(np.float64)
        weights[lfs[group::groups]] = 0
        other = em.fit_near(fitted.posterior, weights, _COARSE, _FEWER_STEPS, learn_balance=True)
        squares += _apart(other.balance, fitted.balance) ** 2
    return float(np.sqrt((groups - 1) / groups * squares))


def _sampled(unique: UniqueVotes) -> tuple[npt.NDArray[np.intp], UniqueVotes]:
    """The distinct rows of 10,000 items, if there are many; the same items each time."""
    p = len(unique.patterns)
    if p <= _MOST_PATTERNS or unique.counts.sum() <= _SAMPLED_ITEMS:
        return np.arange(p), unique
    draw = np.random.default_rng(0)
    counts = draw.multivariate_hypergeometric(unique.counts, _SAMPLED_ITEMS, method="marginals")
    rows = np.flatnonzero(counts)
    strength = None if unique.strength is None else unique.strength[rows]
    inverse = np.repeat(np.arange(len(rows), dtype=np.int32), counts[rows])
    return rows, replace(
        unique,
        patterns=unique.patterns[rows],
        strength=strength,
        inverse=inverse,
        counts=counts[rows],
    )


def _apart(one: Floats, other: Floats) -> float:
    return float(np.abs(one - other).sum() / 2)
