"""Votes with known parameters, and the posterior that these parameters give.

Three kinds of labeling functions (LFs), as in weak supervision's real sets: those that vote every
class, those that vote one class only (and abstain or not depending on the class), and half of
each. LFs may copy one another; items may be ordered, with a class and errors that persist.

    parameters = one_class(n_classes=2)
    votes, truth = sample(parameters, 100_000, seed=0)
    best = (true_posterior(parameters, votes).argmax(axis=1) == truth).mean()
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

ABSTAIN = -1

Votes = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]
Draw = np.random.Generator


@dataclass(frozen=True, slots=True)
class Copy:
    """LF ``lf`` does as LF ``source`` does, abstaining included, with probability ``rate``."""

    lf: int
    source: int
    rate: float


@dataclass(frozen=True, slots=True)
class Chain:
    """Ordered items: sequences of ``length`` items, one after the other.

    Attributes
    ----------
    transition
        float64 [K, K], P(class of an item | class of the one before) at [before, after]. The
        first item's class is drawn from the class balance.
    length
        Items per sequence; the last sequence may be shorter.
    persistence
        float64 [m]. Where the class stays and the LF votes on both items, it repeats its vote
        with this probability, right or wrong, and votes afresh otherwise.
    """

    transition: Floats
    length: int
    persistence: Floats


@dataclass(frozen=True, slots=True)
class VoteParameters:
    """What votes are drawn from.

    Attributes
    ----------
    class_balance
        float64 [K].
    vote_given_class
        float64 [m, K + 1, K], P(vote v | class k) at [LF, v, k]; the row K is abstaining.
        Columns sum to 1.
    copies
        At most one per LF, from an LF with a lower number. An LF that copies does not persist.
    chain
        Without one, items are independent.
    """

    class_balance: Floats
    vote_given_class: Floats
    copies: tuple[Copy, ...] = ()
    chain: Chain | None = None

    def __post_init__(self) -> None:
        m, rows, k = self.vote_given_class.shape
        copying = [copy.lf for copy in self.copies]
        assert rows == k + 1, "a row for each class and one for abstaining"
        assert self.class_balance.shape == (k,), "a share for each class"
        assert len(set(copying)) == len(copying), "an LF copies one other"
        assert all(0 <= copy.source < copy.lf < m for copy in self.copies), "copies go upwards"
        assert self.chain is None or not self.chain.persistence[copying].any(), "copies persist"

    @property
    def n_classes(self) -> int:
        """Classes, K."""
        return len(self.class_balance)

    @property
    def n_lfs(self) -> int:
        """Columns of the vote matrix, m."""
        return len(self.vote_given_class)


def balance(n_classes: int) -> Floats:
    """Class shares that fall geometrically by 3 from first to last: P(+) = .25 for K = 2."""
    shares = 3.0 ** -np.linspace(0, 1, n_classes)
    return np.asarray(shares / shares.sum())


def many(n_classes: int) -> int:
    """As many LFs as there are unless said otherwise: 10, and no fewer than two per class."""
    return max(10, 2 * n_classes)


def both_class(n_classes: int = 2, n_lfs: int | None = None, seed: int = 0) -> VoteParameters:
    """LFs that vote every class; how often they are right depends on the class.

    P(right | class, voted) is .55 to .85 for two classes, .4 to .8 for more, wrong votes are
    spread unevenly; each LF votes on .2 to .6 of the items, whatever their class.
    """
    draw = np.random.default_rng([seed, n_classes])
    given = np.stack([_voting_all(n_classes, draw) for _ in range(n_lfs or many(n_classes))])
    return VoteParameters(balance(n_classes), given)


def one_class(n_classes: int = 2, n_lfs: int | None = None, seed: int = 0) -> VoteParameters:
    """LFs that vote one class only, LF j the class j mod K; they abstain on most other items.

    P(vote) is .25 to .55 on items of the class, and on others .05 to .2, less for many classes.
    """
    draw = np.random.default_rng([seed, n_classes])
    given = np.stack(
        [_voting_one(lf % n_classes, n_classes, draw) for lf in range(n_lfs or many(n_classes))]
    )
    return VoteParameters(balance(n_classes), given)


def mixed(n_classes: int = 2, n_lfs: int | None = None, seed: int = 0) -> VoteParameters:
    """Every other LF votes every class, the others one class only."""
    draw = np.random.default_rng([seed, n_classes])
    given = np.stack(
        [
            _voting_one(lf // 2 % n_classes, n_classes, draw)
            if lf % 2
            else _voting_all(n_classes, draw)
            for lf in range(n_lfs or many(n_classes))
        ]
    )
    return VoteParameters(balance(n_classes), given)


KINDS: Mapping[str, Callable[..., VoteParameters]] = {
    "both_class": both_class,
    "mixed": mixed,
    "one_class": one_class,
}
"""The generators by name; each takes ``n_classes``, ``n_lfs`` and ``seed``."""


def with_copies(parameters: VoteParameters, n_copies: int = 2, rate: float = 0.7) -> VoteParameters:
    """Let the last LFs copy the first ones."""
    m = parameters.n_lfs
    copies = tuple(Copy(m - 1 - i, i, rate) for i in range(n_copies))
    return replace(parameters, copies=copies)


def with_chain(
    parameters: VoteParameters, *, stay: float = 0.95, length: int = 500, persistence: float = 0.0
) -> VoteParameters:
    """Order the items: classes stay with probability ``stay`` beyond chance, votes persist.

    A class that does not stay is drawn anew from the class balance, which is so kept.
    """
    k = parameters.n_classes
    transition = stay * np.eye(k) + (1 - stay) * parameters.class_balance
    persist = np.full(parameters.n_lfs, persistence)
    return replace(parameters, chain=Chain(transition, length, persist))


def sequence_ids(parameters: VoteParameters, n: int) -> npt.NDArray[np.int64]:
    """Give each of n items its sequence's number, int64 [n]; without a chain, its own."""
    return np.arange(n) // (parameters.chain.length if parameters.chain else 1)


def sample(parameters: VoteParameters, n: int, seed: int = 0) -> tuple[Votes, Votes]:
    """Draw n items: votes int8 [n, m] and truth int8 [n]."""
    draw = np.random.default_rng(seed)
    truth = _truth(parameters, n, draw)
    votes = np.empty((n, parameters.n_lfs), dtype=np.int8)
    for lf, given in enumerate(parameters.vote_given_class):
        votes[:, lf] = _drawn(given, truth, draw)
    for copy in sorted(parameters.copies, key=lambda copy: copy.lf):
        does = draw.random(n) < copy.rate
        votes[does, copy.lf] = votes[does, copy.source]
    if parameters.chain is not None:
        fresh = ~_stayed(truth, sequence_ids(parameters, n))[:, None]
        fresh = fresh | (draw.random(votes.shape) >= parameters.chain.persistence)
        for row in range(1, n):
            before, now = votes[row - 1], votes[row]
            np.copyto(now, before, where=~fresh[row] & (before >= 0) & (now >= 0))
    return votes, truth


def true_posterior(parameters: VoteParameters, votes: Votes, *, abstentions: bool = True) -> Floats:
    """P(class | votes) by Bayes' rule with the true parameters, float64 [n, K].

    Parameters
    ----------
    parameters
        Of the items, which are those of `sample` in the same order.
    votes
        int8 [n, m].
    abstentions
        Whether to use what abstaining says of the class. Without, only P(vote | class, voted)
        counts.
    """
    log_fresh, log_stayed = _log_likelihoods(parameters, votes, abstentions)
    if parameters.chain is None:
        return _normalised(np.log(parameters.class_balance) + log_fresh)
    return _smoothed(parameters, log_fresh, log_stayed)


def true_accuracy(parameters: VoteParameters) -> Floats:
    """P(vote right | voted) of each LF, float64 [m], of votes drawn afresh and not copied."""
    joint = parameters.vote_given_class[:, :-1] * parameters.class_balance
    return np.asarray(np.trace(joint, axis1=1, axis2=2) / joint.sum(axis=(1, 2)))


def _voting_all(n_classes: int, draw: Draw) -> Floats:
    low, high = (0.55, 0.85) if n_classes == 2 else (0.4, 0.8)
    right = draw.uniform(low, high, n_classes)
    wrong = draw.dirichlet(np.full(n_classes - 1, 3.0), n_classes)
    confusion = np.zeros((n_classes, n_classes))
    confusion[~np.eye(n_classes, dtype=bool)] = (wrong * (1 - right)[:, None]).ravel()
    confusion += np.diag(right)
    votes_on = draw.uniform(0.2, 0.6)
    return np.vstack([confusion.T * votes_on, np.full(n_classes, 1 - votes_on)])


def _voting_one(label: int, n_classes: int, draw: Draw) -> Floats:
    rate = draw.uniform(0.05, 0.2, n_classes) / np.sqrt(n_classes - 1)
    rate[label] = draw.uniform(0.25, 0.55)
    given = np.zeros((n_classes + 1, n_classes))
    given[label] = rate
    given[-1] = 1 - rate
    return given


def _drawn(given: Floats, condition: npt.NDArray[np.integer], draw: Draw) -> Votes:
    """Draw the row of ``given`` (the last is −1) for each column in ``condition``."""
    steps = given.cumsum(axis=0)[:-1]
    drawn = (draw.random(len(condition)) >= steps[:, condition]).sum(axis=0)
    return np.where(drawn == len(given) - 1, ABSTAIN, drawn).astype(np.int8)


def _truth(parameters: VoteParameters, n: int, draw: Draw) -> Votes:
    fresh = draw.choice(parameters.n_classes, size=n, p=parameters.class_balance).astype(np.int8)
    if parameters.chain is None:
        return fresh
    length = parameters.chain.length
    steps = parameters.chain.transition.cumsum(axis=1)[:, :-1]
    truth = np.resize(fresh, -(-n // length) * length).reshape(-1, length)
    chance = draw.random(truth.shape)
    for step in range(1, length):
        truth[:, step] = (chance[:, step, None] >= steps[truth[:, step - 1]]).sum(axis=1)
    return truth.ravel()[:n]


def _stayed(truth: Votes, sequences: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    same = (truth[1:] == truth[:-1]) & (sequences[1:] == sequences[:-1])
    return np.concatenate([np.zeros(min(len(truth), 1), dtype=np.bool_), same])


def _log_likelihoods(
    parameters: VoteParameters, votes: Votes, abstentions: bool
) -> tuple[Floats, Floats]:
    """Log P(votes | class), of items at which the class changed and at which it stayed."""
    n, m = votes.shape
    k = parameters.n_classes
    copies = {copy.lf: copy for copy in parameters.copies}
    persistence = np.zeros(m) if parameters.chain is None else parameters.chain.persistence
    repeats = np.zeros((n, m), dtype=np.bool_)
    follows = np.zeros((n, m), dtype=np.bool_)
    if parameters.chain is not None:
        ids = sequence_ids(parameters, n)
        repeats[1:] = (votes[1:] == votes[:-1]) & (votes[1:] >= 0)
        follows[1:] = (ids[1:] == ids[:-1])[:, None] & (votes[1:] >= 0) & (votes[:-1] >= 0)
    changed = np.zeros((n, k))
    stayed = np.zeros((n, k))
    with np.errstate(divide="ignore"):
        for lf, given in enumerate(parameters.vote_given_class):
            own = given[votes[:, lf]]
            voting = 1 - given[-1][None, :]
            if lf in copies:
                source, rate = votes[:, copies[lf].source], copies[lf].rate
                own = (1 - rate) * own + rate * (votes[:, lf] == source)[:, None]
                voting = (1 - rate) * voting + rate * (source >= 0)[:, None]
            voted = (votes[:, lf] >= 0)[:, None]
            shown = np.divide(own, voting, out=np.zeros_like(own), where=voting > 0)
            says = voting if abstentions else np.ones_like(voting)
            silent = own if abstentions else np.ones_like(own)
            persists = persistence[lf] * follows[:, lf, None]
            kept = (1 - persists) * shown + persists * repeats[:, lf, None]
            changed += np.log(np.where(voted, shown * says, silent))
            stayed += np.log(np.where(voted, kept * says, silent))
    return changed, stayed


def _smoothed(parameters: VoteParameters, log_fresh: Floats, log_stayed: Floats) -> Floats:
    """Forward–backward over all sequences at once."""
    assert parameters.chain is not None
    n, k = log_fresh.shape
    length = parameters.chain.length
    padding = ((0, -n % length), (0, 0))
    fresh = np.pad(log_fresh, padding).reshape(-1, length, k)
    stayed = np.pad(log_stayed, padding).reshape(-1, length, k)
    peak = np.maximum(fresh.max(axis=2), stayed.max(axis=2))[:, :, None]
    fresh, stayed = np.exp(fresh - peak), np.exp(stayed - peak)

    stays = np.eye(k, dtype=bool)
    moves = parameters.chain.transition[None, None] * np.where(
        stays, stayed[:, :, None], fresh[:, :, None]
    )
    forward = np.empty_like(fresh)
    forward[:, 0] = parameters.class_balance * fresh[:, 0]
    forward[:, 0] /= forward[:, 0].sum(axis=1, keepdims=True)
    for step in range(1, length):
        reached = np.einsum("sa,sab->sb", forward[:, step - 1], moves[:, step])
        forward[:, step] = reached / reached.sum(axis=1, keepdims=True)
    backward = np.ones_like(fresh)
    for step in range(length - 2, -1, -1):
        reached = np.einsum("sab,sb->sa", moves[:, step + 1], backward[:, step + 1])
        backward[:, step] = reached / reached.sum(axis=1, keepdims=True)
    joint = (forward * backward).reshape(-1, k)[:n]
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def _normalised(logits: Floats) -> Floats:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))
