"""What the settings of the label model do to what comes out, and what is said about it."""

import numpy as np
import pytest

from benchmarks.synthetic_votes import KINDS, sample
from epoxy_core.combine import Reach, VoteMatrices, class_balance, combine, fit_posterior
from epoxy_core.errors import EpoxyError
from epoxy_core.extension import NeighborGraph, propagate
from epoxy_core.label_model import make_label_model
from epoxy_core.settings import Extension
from epoxy_core.source_settings import TextSource
from epoxy_core.task import Task

NAMES = tuple(f"lf_{i}" for i in range(10))


def task(k=4, **label_model):
    classes = [f"class {i}" for i in range(k)]
    return Task(
        name="t", source=TextSource(paths="x.csv"), classes=classes, label_model=label_model
    )


def combined(votes, settings, gold=None):
    m = votes.shape[1]
    similarity = np.where(votes >= 0, 1, np.nan).astype(np.float32)
    gold = np.full(len(votes), -1, np.int8) if gold is None else gold
    matrices = VoteMatrices(votes, votes, similarity, names=NAMES[:m])
    return combine(settings, matrices, Reach(np.full(m, 0.5), np.ones(m, np.bool_), 0.2), gold)


def said(found):
    return {choice.stage: choice for choice in found.choices}


def first(gold, n):
    return np.where(np.arange(len(gold)) < n, gold, -1).astype(np.int8)


def test_class_balance_is_given_uniform_or_that_of_enough_dev_labels():
    gold = np.array([0] * 60 + [1] * 20 + [-1] * 9, np.int8)
    assert class_balance(task(2), gold) == pytest.approx([61 / 82, 21 / 82])
    assert class_balance(task(2), gold[20:69]) is None
    assert class_balance(task(2, class_balance="uniform"), gold) == [0.5, 0.5]
    assert class_balance(task(2, class_balance=[0.3, 0.7]), gold) == [0.3, 0.7]


@pytest.mark.parametrize("kind", KINDS)
def test_the_choices_say_what_was_done(kind):
    parameters = KINDS[kind](4)
    votes, truth = sample(parameters, 3000, 1)
    found = combined(votes, task())
    choices = said(found)
    learned = kind != "both_class"
    assert choices["class balance"].chosen == ("learned" if learned else "uniform")
    assert (found.balance is not None) == learned
    assert choices["label model"].chosen == "dawid_skene"
    assert choices["abstention"].chosen == ("informative" if learned else "ignored")
    assert found.silence.any() == learned
    expected = make_label_model("auto", 4).fit(votes).predict_proba(votes)
    np.testing.assert_array_equal(found.own, expected)
    np.testing.assert_array_equal(fit_posterior(task(), votes, None, first(truth, 0)), expected)

    found = combined(votes, task(), first(truth, 200))
    assert said(found)["class balance"].chosen == "dev"
    assert "dev items" in said(found)["label model"].measure
    assert "class balance" not in said(combined(votes, task(class_balance="uniform")))


def test_propagated_posteriors_are_those_of_items_that_borrow_and_of_no_others():
    votes, _ = sample(KINDS["both_class"](3), 2000, 1)
    lent, near = np.arange(2000) % 3 == 0, np.arange(2000) % 2 == 0
    own = np.where(lent[:, None], np.int8(-1), votes)
    similarity = np.where(lent[:, None], np.where(near, 0.9, 0.3)[:, None], 1)
    similarity = np.where(votes >= 0, similarity, np.nan).astype(np.float32)
    matrices = VoteMatrices(own, votes, similarity, names=NAMES)
    reach = Reach(np.full(10, 0.5), np.zeros(10, np.bool_), 0.2)
    draw = np.random.default_rng(0)
    graph = NeighborGraph(
        draw.integers(0, 2000, (2000, 20)).astype(np.int32),
        -np.sort(-draw.random((2000, 20))).astype(np.float32),
    )
    found = {
        weighting: combine(
            task(3).model_copy(update={"extension": Extension(weighting=weighting)}),
            matrices,
            reach,
            np.full(2000, -1, np.int8),
            graph if weighting == "propagated" else None,
        )
        for weighting in ("calibrated", "propagated")
    }
    before, after = found["calibrated"], found["propagated"]
    voted = (own >= 0).any(axis=1)
    borrows = lent & near & (votes >= 0).any(axis=1)
    np.testing.assert_array_equal(after.reached, voted | borrows)
    np.testing.assert_array_equal(after.extended[~borrows], before.extended[~borrows])
    expected = propagate(before.extended, voted, graph)
    np.testing.assert_array_equal(after.extended[borrows], expected[borrows])
    assert (after.extended[borrows] != before.extended[borrows]).any(axis=1).all()
    assert not after.curves.any()
    assert before.curves.any()


def test_items_without_votes_have_no_label_even_if_silence_speaks():
    votes, _ = sample(KINDS["one_class"](2), 3000, 1)
    found = combined(votes, task(2))
    silent = (votes < 0).all(axis=1)
    assert silent.any()
    assert found.silence.any()
    assert (found.labels[silent] == -1).all()
    assert (found.labels[~silent] >= 0).all()


def test_dependencies_are_named_pairs():
    votes, _ = sample(KINDS["both_class"](4), 3000, 1)
    votes[:, 3] = np.where(np.arange(3000) % 3 == 0, votes[:, 1], votes[:, 3])
    settings = {"method": "dawid_skene"}
    assert not combined(votes, task(**settings, dependencies="none")).dependence.any()
    found = combined(votes, task(**settings, dependencies=[["lf_3", "lf_1"]]))
    assert np.argwhere(found.dependence).tolist() == [[1, 3], [3, 1]]
    assert said(found)["dependent LFs"].reason.startswith("lf_1 and lf_3 (")


@pytest.mark.parametrize(
    ("pair", "problem"),
    [(["lf_1", "nobody"], "'nobody' is no labeling function"), (["lf_1"] * 2, "is there twice")],
)
def test_a_pair_that_is_none_is_refused(pair, problem):
    votes, _ = sample(KINDS["both_class"](4), 100)
    with pytest.raises(EpoxyError, match=problem):
        combined(votes, task(dependencies=[pair]))
