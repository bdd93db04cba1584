"""The label models that are compared on synthetic votes: the product's and its peers'."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.quality.peers import Peers
from epoxy_core.label_model import make_label_model
from epoxy_core.label_model.chain import TemporalChain

AUTO, CHAIN = "ours: auto", "ours: temporal chain"
FLYING_SQUID, CHAIN_OF_3 = "FlyingSquid", "FlyingSquid, chain of 3"
DAWID_SKENE = "Dawid–Skene (crowd-kit)"
OURS = {
    "majority vote": "majority_vote",
    "ours: triplets": "triplets",
    "ours: Dawid–Skene": "dawid_skene",
    AUTO: "auto",
}
PEERS = {
    "Snorkel": "snorkel",
    DAWID_SKENE: "dawid_skene",
    FLYING_SQUID: "flyingsquid",
    CHAIN_OF_3: "flyingsquid_chain",
}
ESTIMATORS = (*OURS, CHAIN)
"""The product's models; each estimates how accurate every labeling function (LF) is."""
METHODS = (*list(OURS)[:1], *PEERS, *list(OURS)[1:], CHAIN)

Votes = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]


def is_for(method: str, *, n_classes: int, ordered: bool, given: bool) -> bool:
    """Whether a method is for so many classes, for items in order, and takes a class balance."""
    return (
        (ordered or method not in (CHAIN, CHAIN_OF_3))
        and (n_classes == 2 or method not in (FLYING_SQUID, CHAIN_OF_3))
        and not (given and method in (DAWID_SKENE, CHAIN_OF_3))
    )


class Estimate(NamedTuple):
    """What one of the product's models learned.

    Attributes
    ----------
    posterior
        float64 [n, K], P(class) of the items it was fitted on.
    accuracy
        float64 [m], P(vote right | LF voted).
    silence
        float64 [m, K], what abstaining says.
    """

    posterior: Floats
    accuracy: Floats
    silence: Floats


def estimate(
    method: str, votes: Votes, sequences: Ids, n_classes: int, balance: Floats | None
) -> Estimate:
    """Fit one of `ESTIMATORS` on int8 [n, m]; without a class balance it is not known."""
    shares = None if balance is None else balance.tolist()
    if method == CHAIN:
        chain = TemporalChain(n_classes, shares).fit(votes, sequences)
        return Estimate(chain.predict_proba(votes, sequences), chain.accuracy_, chain.silence_)
    model = make_label_model(OURS[method], n_classes, shares).fit(votes)
    return Estimate(model.predict_proba(votes), model.accuracy_, model.silence_)


def ask(
    method: str, votes: Votes, n_classes: int, balance: Floats | None, seed: int, peers: Peers
) -> Floats:
    """P(class), float64 [n, K], by one of `PEERS` fitted on the same items."""
    return peers.label(PEERS[method], votes, votes, n_classes, balance, seed).probabilities
