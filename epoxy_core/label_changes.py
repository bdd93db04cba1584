"""Why a label changed: what each labeling function's vote and its weight did to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.extension import ExtendedVotes
from epoxy_core.labeling import fractions, log_odds_added

LEAST_CONTRIBUTION = 1e-6
"""A labeling function that moved the log-odds by less is no cause."""

Floats = npt.NDArray[np.float64]
Classes = npt.NDArray[np.integer]
CAUSES = pl.List(pl.Struct({"lf": pl.String, "contribution": pl.Float64}))


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What a vote adds to the log-probability of each class, by one label model.

    Attributes
    ----------
    own
        float64 [m, S, K], ``LabelModel.evidence_``.
    silence
        float64 [m, K], ``LabelModel.silence_``.
    thresholds
        float64 [m], least similarity at which a borrowed vote counts.
    grids, curves
        m pairs of float64 [g]: log-odds of a borrowed vote for a class against similarity, per LF.
    hard
        Whether a borrowed vote counts like an own one.
    """

    own: Floats
    silence: Floats
    thresholds: Floats
    grids: Sequence[Floats]
    curves: Sequence[Floats]
    hard: bool

    @property
    def n_classes(self) -> int:
        """K."""
        return int(self.own.shape[-1])

    def of_own(
        self,
        lf: int,
        votes: npt.NDArray[np.integer],
        strength: npt.NDArray[np.float32] | None,
    ) -> Floats:
        """What an LF's own votes add to each class, float64 [r, K].

        Parameters
        ----------
        lf
            Which.
        votes
            int [r], none of them an abstain.
        strength
            float32 [r], their own probabilities; None where no vote is soft.
        """
        table = self.own[lf]
        if strength is None:
            return np.asarray(table[votes])
        return np.asarray(fractions(votes, strength, len(table), self.n_classes) @ table)

    def borrowed(
        self,
        lf: int,
        similarity: npt.NDArray[np.float32],
        votes: npt.NDArray[np.integer],
        strength: npt.NDArray[np.float32] | None,
    ) -> Floats:
        """What votes borrowed from this far away add to the class they name, float64 [r].

        Interpolated in accuracy, as `BorrowedVoteCalibration.weight` does. Parameters as in
        ``of_own``, and float32 [r] similarities.
        """
        others = self.n_classes - 1
        accuracy = np.interp(
            similarity, self.grids[lf], 1 / (1 + others * np.exp(-self.curves[lf]))
        )
        return log_odds_added(accuracy, votes, strength, self.n_classes)


@dataclass(frozen=True, slots=True, eq=False)
class CastVotes:
    """Own and borrowed votes on some items.

    Attributes
    ----------
    votes
        int8 [f, m], −1 = abstain.
    similarity
        float32 [f, m], to the item whose vote it is; 1 for an own vote, NaN for an abstain.
    own
        bool [f, m], whether the LF voted itself.
    strength
        float32 [f, m], the LF's own probability of the vote; None where no vote is soft.
    """

    votes: npt.NDArray[np.int8]
    similarity: npt.NDArray[np.float32]
    own: npt.NDArray[np.bool_]
    strength: npt.NDArray[np.float32] | None = None

    def claimed(self, lf: int, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32] | None:
        """One LF's probabilities of its votes on some of the items."""
        return None if self.strength is None else self.strength[rows, lf]


def margins(evidence: Evidence, cast: CastVotes, winner: Classes, loser: Classes) -> Floats:
    """Find what each LF adds to the log-odds of one class against another.

    An own vote adds its evidence; an LF without one adds what its silence says. A borrowed vote
    adds its log-odds at its similarity, if that reaches the threshold and no LF voted on the item
    itself; with hard weighting it counts like an own one. An item without a vote that counts has
    no label, and nothing adds to it.

    Parameters
    ----------
    evidence
        Of the label model that counted the votes.
    cast
        The votes on f items.
    winner, loser
        int [f], the two classes for each item.

    Returns
    -------
    float64 [f, m].
    """
    result = np.zeros(cast.votes.shape)
    has_own = cast.own.any(axis=1)
    reached = (cast.votes >= 0) & (cast.similarity >= evidence.thresholds)
    labelled = has_own | reached.any(axis=1)
    for lf, vote in enumerate(cast.votes.T):
        near = reached[:, lf]
        like_own = cast.own[:, lf] | (near if evidence.hard else False)
        at = np.flatnonzero(labelled & ~like_own)
        said = evidence.silence[lf]
        result[at, lf] = said[winner[at]] - said[loser[at]]
        at = np.flatnonzero(like_own)
        added = evidence.of_own(lf, vote[at], cast.claimed(lf, at))
        rows = np.arange(len(at))
        result[at, lf] = added[rows, winner[at]] - added[rows, loser[at]]
        if not evidence.hard:
            at = np.flatnonzero(near & ~has_own)
            named = vote[at] % evidence.n_classes
            sign = (named == winner[at]).astype(np.float64) - (named == loser[at])
            similarity, claimed = cast.similarity[at, lf], cast.claimed(lf, at)
            result[at, lf] += sign * evidence.borrowed(lf, similarity, vote[at], claimed)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What the labels of one moment are made of, in memory.

    Attributes
    ----------
    names
        m labeling functions.
    evidence
        What their votes were worth.
    votes
        Their own and borrowed votes on all n items.
    """

    names: Sequence[str]
    evidence: Evidence
    votes: Sequence[ExtendedVotes]

    def cast(self, at: npt.NDArray[np.intp]) -> CastVotes:
        """The votes on some items."""
        shape = len(at), len(self.votes)
        votes, similarity = np.empty(shape, np.int8), np.empty(shape, np.float32)
        own, strength = np.empty(shape, np.bool_), np.ones(shape, np.float32)
        for lf, column in enumerate(self.votes):
            votes[:, lf], similarity[:, lf] = column.votes[at], column.similarity[at]
            own[:, lf] = column.source[at] == at
            if column.strength is not None:
                strength[:, lf] = column.strength[at]
        soft = any(column.strength is not None for column in self.votes)
        return CastVotes(votes, similarity, own, strength if soft else None)


def causes_in_memory(
    before: Standing,
    after: Standing,
    at: npt.NDArray[np.intp],
    old: Classes,
    new: Classes,
) -> pl.Series:
    """Name the labeling functions behind the changes of these items' labels.

    Parameters
    ----------
    before, after
        What the labels were made of.
    at
        int [f], the items.
    old, new
        int [f], classes before and after; see `opponents`.

    Returns
    -------
    As `causes`.
    """
    return causes(
        *grown(
            (before.names, margins(before.evidence, before.cast(at), new, old)),
            (after.names, margins(after.evidence, after.cast(at), new, old)),
        )
    )


def opponents(
    before: Classes, after: Classes, probabilities: npt.NDArray[np.floating]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The classes before and after; where there is no label, the runner-up of the other one.

    Parameters
    ----------
    before, after
        int [f], −1 = no label.
    probabilities
        Floating [f, K], those after; where there is no label any more, those before.
    """
    others = probabilities.astype(np.float64)
    others[np.arange(len(after)), np.maximum(after, before)] = -1
    second = others.argmax(axis=1)
    return np.where(before < 0, second, before), np.where(after < 0, second, after)


def grown(
    before: tuple[Sequence[str], Floats], after: tuple[Sequence[str], Floats]
) -> tuple[list[str], Floats]:
    """By how much each labeling function's margin grew.

    Parameters
    ----------
    before, after
        Names, and margins float64 [f, m] for the new class against the old one.

    Returns
    -------
    The names of both, and float64 [f, their number]: one that is only in one of them grew from, or
    to, nothing.
    """
    lfs = list(dict.fromkeys([*after[0], *before[0]]))
    total = np.zeros((len(after[1]), len(lfs)))
    for sign, (names, found) in ((1, after), (-1, before)):
        for name, margin in zip(names, found.T, strict=True):
            total[:, lfs.index(name)] += sign * margin
    return lfs, total


def causes(lfs: Sequence[str], contributions: Floats) -> pl.Series:
    """Name the labeling functions behind each change.

    Parameters
    ----------
    lfs
        m names.
    contributions
        float64 [f, m]: by how much each LF's margin for the new label against the old one grew.

    Returns
    -------
    polars.Series
        f lists of structs ``lf``, ``contribution``: most contributing first, those against the
        change last, those of at most 1e-6 left out.
    """
    import pyarrow as pa

    by_name = np.array(sorted(range(len(lfs)), key=lambda lf: lfs[lf]), dtype=np.intp)
    named = contributions[:, by_name]
    order = np.argsort(-named, axis=1, kind="stable")
    values = np.take_along_axis(named, order, axis=1)
    kept = np.abs(values) > LEAST_CONTRIBUTION
    ends = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    each = pl.DataFrame(
        {
            "lf": pl.Series(lfs, dtype=pl.String).gather(by_name[order[kept]]),
            "contribution": pl.Series(values[kept], dtype=pl.Float64),
        }
    ).to_struct("causes")
    lists = pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), each.to_arrow())
    return pl.Series("causes", pl.from_arrow(lists), dtype=CAUSES)


def no_causes(n: int) -> pl.Series:
    """As many changes without known causes."""
    return pl.repeat([], n, dtype=CAUSES, eager=True).alias("causes")


def flip_counts(changes: pl.DataFrame) -> pl.DataFrame:
    """Changes by label before and after; most items first."""
    return (
        changes.group_by("label_before", "label_after")
        .len("items")
        .sort(-pl.col("items").cast(pl.Int64), "label_before", "label_after")
    )


def cause_counts(changes: pl.DataFrame) -> pl.DataFrame:
    """For each LF the changes it caused most, took part in, and stood against."""
    each = changes.select("causes", first=pl.col("causes").list.first().struct.field("lf"))
    named = each.explode("causes", empty_as_null=False).select(
        "first", pl.col("causes").struct.unnest()
    )
    toward = pl.col("contribution") > 0
    return (
        named.group_by("lf")
        .agg(
            first_cause=((pl.col("first") == pl.col("lf")) & toward).sum(),
            toward=toward.sum(),
            against=(~toward).sum(),
        )
        .sort(-pl.col("first_cause").cast(pl.Int64), -pl.col("toward").cast(pl.Int64), "lf")
    )


def examples(changes: pl.DataFrame, most: int) -> pl.DataFrame:
    """The surest flips, then the surest of the other changes."""
    flipped = pl.col("label_before").is_not_null() & pl.col("label_after").is_not_null()
    sure = pl.col("confidence_before").fill_null(0) + pl.col("confidence_after").fill_null(0)
    return changes.sort(~flipped, -sure, "item_id").head(most)


def describe(causes: Sequence[Mapping[str, Any]] | None, most: int = 4) -> str:
    """One line of what a change is due to, as ``words +1.92, short −0.31``."""
    causes = causes or []
    shown = [
        f"{cause['lf']} {'+' if cause['contribution'] > 0 else '−'}{abs(cause['contribution']):.2f}"
        for cause in causes[:most]
    ]
    more = f" and {len(causes) - most} more" if len(causes) > most else ""
    return ", ".join(shown) + more
