"""What the settings of the label model come to."""

import numpy as np
import pytest
from combining import combined, said, task

from benchmarks.synthetic_votes import KINDS, sample
from epoxy_core.combine import class_balance
from epoxy_core.errors import EpoxyError


def test_class_balance_is_given_uniform_or_that_of_enough_dev_labels():
    gold = np.array([0] * 60 + [1] * 20 + [-1] * 9, np.int8)
    assert class_balance(task(2), gold, gold) == pytest.approx([61 / 82, 21 / 82])
    assert class_balance(task(2), gold[20:69], gold[20:69]) is None
    assert class_balance(task(2, class_balance="uniform"), gold, gold) == [0.5, 0.5]
    assert class_balance(task(2, class_balance=[0.3, 0.7]), gold, gold) == [0.3, 0.7]
    few = np.where(np.arange(89) % 8 == 0, gold, -1).astype(np.int8)
    assert class_balance(task(2), gold, few) is None


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
