import numpy as np
import pytest

from epoxy_core.label_model import groups, softmax
from epoxy_core.label_model.groups import Groups
from epoxy_core.label_model.left_out import said_without
from epoxy_core.label_model.unique_votes import unique_votes


@pytest.mark.parametrize("many", [0, 10_000])
@pytest.mark.parametrize(("m", "k", "base"), [(1, 2, 3), (7, 2, 5), (13, 3, 4), (4, 12, 25)])
def test_several_lfs_at_a_time_are_as_one_by_one(many, m, k, base, monkeypatch):
    monkeypatch.setattr(groups, "_MANY_ROWS", many)
    draw = np.random.default_rng(m)
    patterns = draw.integers(-1, base - 1, (300, m)).astype(np.int8)
    table, start = draw.normal(0, 3, (m, base, k)), draw.normal(size=k)
    counts, posterior = draw.integers(1, 50, 300), draw.dirichlet(np.ones(k), 300)
    made = Groups(patterns, base)
    scores = start + table[np.arange(m), patterns + 1].sum(axis=1)
    np.testing.assert_allclose(made.weigh(table, start), softmax(scores), atol=1e-12)
    expected = np.zeros_like(table)
    for row in range(300):
        for lf in range(m):
            expected[lf, patterns[row, lf] + 1] += counts[row] * posterior[row]
    np.testing.assert_allclose(made.count(counts, posterior), expected, rtol=1e-12)


def test_what_others_say_is_the_same_for_plain_and_for_certain_soft_votes():
    draw = np.random.default_rng(3)
    votes = draw.integers(-1, 4, (400, 5)).astype(np.int8)
    plain = unique_votes(votes, None, 2)
    claims = np.ones((400, 5), np.float32)
    claims[0] = np.nextafter(claims[0], 0)  # as good as certain, but soft
    soft = unique_votes(votes, claims, 2)
    evidence, silence = draw.normal(size=(5, 4, 2)), draw.normal(size=(5, 2))
    out = np.eye(5, dtype=bool) | (draw.random((5, 5)) < 0.3)
    for least in (0, 3):
        one = said_without(plain, evidence, silence, out, least)
        other = said_without(soft, evidence, silence, out, least)
        np.testing.assert_allclose(one[0], other[0], atol=1e-6)
        np.testing.assert_allclose(one[1], other[1], atol=1e-6)
