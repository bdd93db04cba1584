"""Counts of pairs of votes, which is all that triplets need of them."""

from typing import NamedTuple

import numpy as np

from epoxy_core.label_model.base import Floats, Strength, Votes
from epoxy_core.label_model.unique_votes import UniqueVotes, unique_votes
from epoxy_core.labeling import beyond_chance, chance


class VoteGrams(NamedTuple):
    """Pairwise counts; those of two sets of items add up.

    Every vote is a point whose K coordinates sum to 1. A vote for a class is that class's corner:
    1 there, 0 elsewhere. A vote against it is 2−K there and 1 elsewhere (see `Triplets`). A soft
    vote lies between that of a plain one and 1/K everywhere, which says nothing: at the share
    beyond chance that it claims.

    Attributes
    ----------
    overlap
        float64 [m, m], items on which both LFs vote; the diagonal is the coverage.
    agreement
        float64 [m, m], sum of the products of both points: with votes for classes alone, items on
        which both vote the same class.
    meetings
        float64 [K, m, m], sum of a coordinate of LF i's points where LF j votes anything: with
        votes for classes alone, items on which LF i votes the class.
    spread
        float64 [m, m], sum of the squared lengths of LF i's points where LF j votes anything.
    claims, claims_squared
        float64 [m], sums over votes of their probability's share beyond chance, 1 for a plain one.
    against
        float64 [m], votes against a class.
    """

    overlap: Floats
    agreement: Floats
    meetings: Floats
    spread: Floats
    claims: Floats
    claims_squared: Floats
    against: Floats


def vote_grams(votes: Votes, n_classes: int, strength: Strength | None = None) -> VoteGrams:
    """Count pairs of votes by 2·K + 1 Gram matrices over the unique vote patterns."""
    return unique_vote_grams(unique_votes(votes, strength, n_classes))


def unique_vote_grams(unique: UniqueVotes) -> VoteGrams:
    """`vote_grams` of votes that are collapsed already."""
    patterns, n_classes = unique.patterns, unique.n_classes
    weight = unique.counts[:, None].astype(np.float64)
    voted = (patterns >= 0).astype(np.float64)
    overlap = (voted * weight).T @ voted
    plain = unique.strength is None and unique.n_symbols == n_classes
    share = voted if plain else _share_beyond_chance(unique)
    agreement = np.zeros_like(overlap)
    meetings = np.empty((n_classes, *agreement.shape))
    squares = np.zeros_like(voted)
    for label in range(n_classes):
        cast = (patterns == label).astype(np.float64)
        if not plain:
            cast = _coordinate(unique, share, label)
            squares += cast**2
        agreement += (cast * weight).T @ cast
        meetings[label] = (cast * weight).T @ voted
    spread = overlap if plain else (squares * weight).T @ voted
    claims, claims_squared = (weight * share).sum(axis=0), (weight * share**2).sum(axis=0)
    against = (weight * (patterns >= n_classes)).sum(axis=0)
    return VoteGrams(overlap, agreement, meetings, spread, claims, claims_squared, against)


def _share_beyond_chance(unique: UniqueVotes) -> Floats:
    """float64 [p, m]: 1 for a plain vote, less for a soft one, 0 for none."""
    votes, claim = unique.patterns, unique.strength
    guess = chance(votes, unique.n_classes)
    share = (
        np.ones(votes.shape) if claim is None else beyond_chance(claim.astype(np.float64), guess)
    )
    return np.where(votes >= 0, share, 0)


def _coordinate(unique: UniqueVotes, share: Floats, label: int) -> Floats:
    """One coordinate of every vote's point, float64 [p, m], 0 where there is none."""
    votes, k = unique.patterns, unique.n_classes
    point = np.where(votes >= k, 1.0, 0.0)
    point[votes == label] = 1
    point[votes == k + label] = 2 - k
    return np.where(votes >= 0, 1 / k + share * (point - 1 / k), 0)
