"""The label model that suits the votes best, and why: by dev labels, or without any."""

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from epoxy_core.choices import ENOUGH_GOLD, Choice
from epoxy_core.errors import EpoxyError
from epoxy_core.label_model.base import Floats, LabelModel, Strength, Votes
from epoxy_core.label_model.compare import (
    ByHandLabels,
    ByLift,
    Comparison,
    Gold,
    hand_labelled,
    straying,
)
from epoxy_core.label_model.dawid_skene import DawidSkene
from epoxy_core.label_model.dependencies import Dependencies
from epoxy_core.label_model.majority_vote import MajorityVote
from epoxy_core.label_model.triplets import Triplets
from epoxy_core.label_model.unique_votes import UniqueVotes, unique_votes

FAVOURITE = "dawid_skene"
MAJORITY = "majority_vote"
METHODS = (FAVOURITE, "triplets", MAJORITY)
STAGES = ("class balance", "label model", "abstention", "dependent LFs")
"""What is decided on the way from votes to the label model's probabilities."""
_MOST_STRAYING = 0.05
_PAIRS_SHOWN = 3


class ChosenLabelModel:
    """One of the label models, by evidence.

    With 50 hand labels on items with votes or more, by the share of them that is right; with
    fewer by `left_out_lift`. Dawid–Skene is the favourite, having been the best on average on
    the sets this was developed on; another is taken only if it is better by more than two
    standard errors of the difference (paired over items, or over LFs).

    Majority vote is always fitted, too. If the chosen model labels more than .05 of the items
    with votes otherwise, and is not better than majority vote by more than two standard errors,
    the choice carries a warning.

    Parameters
    ----------
    n_classes
        K.
    class_balance
        The classes' shares, [K]; None: not known.
    method
        ``auto``, ``dawid_skene``, ``triplets`` or ``majority_vote``.
    dependencies
        See `DawidSkene`.
    names
        Of the LFs, for what is said of dependencies; numbers when there are none.

    Attributes
    ----------
    method_
        The one chosen.
    model_, majority_
        It and `MajorityVote`, fitted.
    choices_
        What was chosen and why: the label model, and what Dawid–Skene decided.
    evidence_, silence_, accuracy_
        Those of ``model_``.
    class_balance_
        The classes' shares, [K], as given or as Dawid–Skene learned them; None: not known.
    balance_reason_
        Why they are believed, if they were learned; else empty.
    dependence_
        float64 [m, m], `DawidSkene.dependence_`; zero for other models.
    """

    def __init__(
        self,
        n_classes: int,
        class_balance: Sequence[float] | None = None,
        *,
        method: str = "auto",
        dependencies: Dependencies = "auto",
        names: Sequence[str] = (),
    ) -> None:
        self.n_classes = n_classes
        self.class_balance = class_balance
        self.method = method
        self.dependencies = dependencies
        self.names = names

    def fit(self, votes: Votes, strength: Strength | None = None, gold: Gold | None = None) -> Self:
        """Fit what may be chosen, and choose.

        Parameters
        ----------
        votes, strength
            See `LabelModel.fit`.
        gold
            int8 [n], hand labels, −1 where there is none.

        Raises
        ------
        EpoxyError
            If there is no such method.
        """
        return self.fit_unique(unique_votes(votes, strength, self.n_classes), gold)

    def fit_unique(self, unique: UniqueVotes, gold: Gold | None = None) -> Self:
        """`fit` on votes that are collapsed already."""
        models = self._models()
        for model in models.values():
            model.fit_unique(unique)
        rows, labels = hand_labelled(unique, gold)
        compared: Comparison
        if len(rows) >= ENOUGH_GOLD:
            compared = ByHandLabels(models, unique, rows, labels)
        else:
            compared = ByLift(models, unique, _alike(models))
        self.method_, reason = self._best(compared)
        self.model_, self.majority_ = models[self.method_], models[MAJORITY]
        warning = ""
        if not compared.clearly_better(self.method_, MAJORITY):
            warning = self._warning(straying(self.model_, self.majority_, unique))
        self.choices_ = [
            Choice("label model", self.method_, reason, compared.measure, compared.scores, warning),
            *self._decided(),
        ]
        self.evidence_, self.silence_ = self.model_.evidence_, self.model_.silence_
        self.accuracy_ = self.model_.accuracy_
        given, self.balance_reason_ = self.class_balance, ""
        self.class_balance_ = None if given is None else [float(share) for share in given]
        self.dependence_ = np.zeros((len(self.accuracy_), len(self.accuracy_)))
        if isinstance(self.model_, DawidSkene):
            self.dependence_ = self.model_.dependence_
            self.balance_reason_ = self.model_.balance_reason_
            if self.balance_reason_:
                self.class_balance_ = self.model_.class_balance_.tolist()
        return self

    def predict_proba(self, votes: Votes, strength: Strength | None = None) -> Floats:
        """See `LabelModel.predict_proba`."""
        return self.model_.predict_proba(votes, strength)

    def predict_unique(self, unique: UniqueVotes) -> Floats:
        """See `LabelModel.predict_unique`."""
        return self.model_.predict_unique(unique)

    def _models(self) -> Mapping[str, LabelModel]:
        if self.method not in ("auto", *METHODS):
            raise EpoxyError(
                f"no label model {self.method!r}",
                where="label_model.method",
                remedy=f"Choose one of auto, {', '.join(METHODS)}.",
            )
        shares = self.n_classes, self.class_balance
        models: dict[str, LabelModel] = {
            FAVOURITE: DawidSkene(*shares, dependencies=self.dependencies),
            "triplets": Triplets(*shares),
            MAJORITY: MajorityVote(*shares),
        }
        return {n: m for n, m in models.items() if self.method in ("auto", n) or n == MAJORITY}

    def _best(self, compared: Comparison) -> tuple[str, str]:
        """The method to take, and why."""
        if self.method != "auto":
            return self.method, "As task.yaml says."
        better = [name for name in METHODS if compared.clearly_better(name, FAVOURITE)]
        if better:
            best = max(better, key=lambda name: compared.scores[name])
            return best, f"Better than {FAVOURITE} by more than two standard errors."
        if compared.scores[FAVOURITE] >= max(compared.scores.values()):
            return FAVOURITE, "None is better."
        return FAVOURITE, "The best on average elsewhere, and here none is clearly better."

    def _warning(self, share: float) -> str:
        if share <= _MOST_STRAYING:
            return ""
        return (
            f"{self.method_} labels {share:.0%} of the items with votes otherwise than the "
            "majority of their votes, and nothing shows that it is right: label some of them by "
            "hand, or set label_model.method to majority_vote."
        )

    def _decided(self) -> list[Choice]:
        """What Dawid–Skene decided by itself."""
        model = self.model_
        if not isinstance(model, DawidSkene):
            return []
        silence = model.abstention_
        chosen = "informative" if silence.informative else "ignored"
        explained = {} if np.isnan(silence.explained) else {"informative": silence.explained}
        found = [
            Choice(
                "abstention",
                chosen,
                silence.reason,
                "share of co-voting that the classes explain",
                explained,
            )
        ]
        if self.dependencies is not None:
            pairs = np.argwhere(np.triu(model.dependence_))
            pairs = pairs[np.argsort(-model.dependence_[tuple(pairs.T)], kind="stable")]
            shown = [self._pair(one, two, model.dependence_) for one, two in pairs[:_PAIRS_SHOWN]]
            if len(pairs) > len(shown):
                shown.append(f"{len(pairs) - len(shown)} more")
            least = model.weights_.min(initial=1)
            reason = (
                f"{'; '.join(shown)} vote alike whatever the class, so their votes count less, "
                f"down to {least:.2f}."
                if shown
                else "No two LFs vote alike for other reasons than the class."
            )
            chosen = f"{len(pairs)} pairs" if shown else "none"
            found.append(Choice("dependent LFs", chosen, reason))
        return found

    def _pair(self, one: int, other: int, correlation: Floats) -> str:
        names = [self.names[lf] if self.names else str(lf) for lf in (one, other)]
        return f"{' and '.join(names)} ({correlation[one, other]:.2f})"


def _alike(models: Mapping[str, LabelModel]) -> npt.NDArray[np.bool_] | None:
    favourite = models.get(FAVOURITE)
    return favourite.dependence_ > 0 if isinstance(favourite, DawidSkene) else None
