import numpy as np
import pytest

from epoxy_core.label_model import MajorityVote


def test_majority_ties_and_silence():
    votes = np.array([[0, 0, 1], [0, 1, -1], [2, -1, -1], [-1, -1, -1], [0, 1, 2]], dtype=np.int8)
    found = MajorityVote(3, [0.5, 0.25, 0.25]).fit(votes).predict_proba(votes)
    expected = [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1], [0.5, 0.25, 0.25], [1 / 3] * 3]
    np.testing.assert_allclose(found, expected)


def test_accuracy_is_agreement_with_the_other_lfs_by_naive_loops():
    generator = np.random.default_rng(0)
    votes = generator.integers(-1, 3, size=(200, 4)).astype(np.int8)
    model = MajorityVote(3).fit(votes)
    for lf in range(4):
        agreed = overlaps = 0.0
        for row in votes.tolist():
            vote = row.pop(lf)
            others = [other for other in row if other >= 0]
            if vote < 0 or not others:
                continue
            top = max(others.count(label) for label in range(3))
            winners = [label for label in range(3) if others.count(label) == top]
            agreed += (vote in winners) / len(winners)
            overlaps += 1
        assert model.accuracy_[lf] == pytest.approx((agreed + 21) / (overlaps + 30))
