"""What the settings of label model and extension do to what comes out, and what is said of it."""

import numpy as np
import pytest
from combining import NAMES, combined, first, said, task

from benchmarks.synthetic_votes import KINDS, sample
from epoxy_core.combine import Reach, VoteMatrices, combine, fit_posterior
from epoxy_core.extension import propagate
from epoxy_core.label_model import make_label_model
from epoxy_core.neighbors import NeighborGraph
from epoxy_core.settings import Extension


@pytest.mark.parametrize("kind", KINDS)
def test_the_choices_say_what_was_done(kind):
    parameters = KINDS[kind](4)
    votes, truth = sample(parameters, 3000, 1)
    found = combined(votes, task())
    choices = said(found)
    silence = kind != "both_class"
    assert choices["class balance"].chosen == "learned"
    reason = "classes explain" if silence else "Whichever LF is left out"
    assert reason in choices["class balance"].reason
    np.testing.assert_allclose(found.balance, parameters.class_balance, atol=0.06)
    assert choices["label model"].chosen == "dawid_skene"
    assert choices["abstention"].chosen == ("informative" if silence else "ignored")
    assert found.silence.any() == silence
    expected = make_label_model("auto", 4).fit(votes).predict_proba(votes)
    np.testing.assert_array_equal(found.own, expected)
    np.testing.assert_array_equal(fit_posterior(task(), votes, None, None), expected)

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
