import numpy as np
import pytest

from epoxy_core.extension import BorrowedVoteCalibration


def world(n_classes, n=6000, m=4, seed=0, accuracy=0.9, judged=0.85):
    """Borrowed votes right with probability rising from chance at s = 0 to `accuracy` at s = 1,
    judged by a posterior whose hard label is right with probability `judged`."""
    generator = np.random.default_rng(seed)
    gold = generator.integers(n_classes, size=n)

    def noisy(right):
        wrong = (gold + generator.integers(1, n_classes, size=n)) % n_classes
        return np.where(right, gold, wrong)

    believed = noisy(generator.random(n) < judged)
    rest = (1 - judged) / (n_classes - 1)
    posterior = np.full((n, n_classes), rest)
    posterior[np.arange(n), believed] = judged
    own = np.full((n, m), -1, dtype=np.int8)
    own[np.arange(n), generator.integers(m, size=n)] = believed
    similarity = generator.random((n, m)).astype(np.float32)
    true = 1 / n_classes + (accuracy - 1 / n_classes) * similarity
    borrowed = np.stack([noisy(generator.random(n) < true[:, j]) for j in range(m)], axis=1)
    extended = np.where(own >= 0, own, borrowed).astype(np.int8)
    similarity = np.where(own >= 0, np.float32(1), similarity)
    return posterior, own, extended, similarity, true


@pytest.mark.parametrize("n_classes", [2, 4])
def test_recovers_the_true_accuracy_of_borrowed_votes(n_classes):
    posterior, own, extended, similarity, true = world(n_classes, n=20_000)
    accuracy = np.full(4, 0.95)
    fitted = BorrowedVoteCalibration(n_classes).fit(posterior, own, extended, similarity, accuracy)
    borrowed = own < 0
    found = fitted.accuracy(similarity)
    # A soft posterior agrees less with the truth than its confidence says: errs to the safe side.
    assert np.mean((found - true)[borrowed]) < 0.02
    assert np.abs(found - true)[borrowed].mean() < 0.1
    assert fitted.confidence_ == pytest.approx(0.85)
    assert fitted.evidence_.tolist() == borrowed.sum(axis=0).tolist()


def test_with_much_evidence_it_is_isotonic_regression_of_rescaled_agreement():
    from sklearn.isotonic import IsotonicRegression

    posterior, own, extended, similarity, _ = world(2, n=30_000, m=2)
    fitted = BorrowedVoteCalibration(2).fit(posterior, own, extended, similarity, np.full(2, 1.0))
    rows = own[:, 0] < 0
    given = posterior[rows, extended[rows, 0]]
    rescaled = (given - 0.15) / (0.85 - 0.15)
    oracle = IsotonicRegression().fit(similarity[rows, 0], rescaled)
    inner = np.linspace(0.1, 0.9, 50).astype(np.float32)
    found = fitted.accuracy(np.stack([inner, inner], axis=1))[:, 0]
    np.testing.assert_allclose(found, oracle.predict(inner).clip(0.5, 0.98), atol=0.05)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_votes_against_classes_share_the_curve_of_those_that_know_as_much(n_classes):
    """An LF that says true things against classes as often beyond chance as others say for."""
    k = n_classes
    posterior, own, extended, similarity, true = world(k, n=40_000, judged=0.97)
    generator = np.random.default_rng(1)
    gold = posterior.argmax(axis=1)  # what the posterior believes, in the sense of the curve
    knows = generator.random(len(gold)) < (k * true[:, 0] - 1) / (k - 1)
    said = np.where(
        knows,
        (gold + generator.integers(1, k, len(gold))) % k,
        generator.integers(k, size=len(gold)),
    )
    abstains = own[:, 0] < 0
    extended[:, 0] = np.where(abstains, said, own[:, 0]) + k
    own[:, 0] = np.where(abstains, -1, extended[:, 0])
    accuracy = np.full(4, 0.95)
    accuracy[0] = (k - 1 + (k * 0.95 - 1) / (k - 1)) / k
    fitted = BorrowedVoteCalibration(k).fit(posterior, own, extended, similarity, accuracy)
    asked = np.tile(np.linspace(0.2, 0.9, 8, dtype=np.float32)[:, None], (1, 4))
    expected = 1 / k + (0.9 - 1 / k) * asked[:, 0]
    np.testing.assert_allclose(fitted.accuracy(asked)[:, 0], expected, atol=0.06)
    votes = np.tile(np.array([k, 0, 1, -1], np.int8), (8, 1))
    weights = fitted.weight(asked, votes)
    assert (weights[:, 0] <= 1e-12).all()
    assert (weights[:, 1:] >= -1e-12).all()
    np.testing.assert_allclose(weights[:, 1:], fitted.weight(asked)[:, 1:])
    # What is left for the class, by Bayes' rule: (1 − p) against p/(K−1) for each other.
    right = (k - 2 + fitted.accuracy(asked)[:, 0]) / (k - 1)
    np.testing.assert_allclose(np.exp(-weights[:, 0]), right / ((k - 1) * (1 - right)))
    claims = np.full(asked.shape, 1 / k, np.float32)
    np.testing.assert_allclose(fitted.weight(asked, votes, claims)[:, 1:], 0, atol=1e-6)


def test_curves_rise_and_stay_between_chance_and_own_accuracy():
    posterior, own, extended, similarity, _ = world(4, n=800)
    accuracy = np.array([0.5, 0.7, 0.2, 1.0])
    fitted = BorrowedVoteCalibration(4).fit(posterior, own, extended, similarity, accuracy)
    assert (np.diff(fitted.curve_, axis=1) >= 0).all()
    assert (fitted.curve_ >= 0.25).all()
    assert (fitted.curve_ <= np.array([0.5, 0.7, 0.25, 0.98])[:, None] + 1e-12).all()
    weights = fitted.weight(similarity)
    assert (weights >= -1e-12).all()
    chosen = fitted.accuracy(similarity)[:, 1]
    np.testing.assert_allclose(weights[:, 1], np.log(chosen * 3 / (1 - chosen)))


def test_an_abstain_weighs_nothing():
    posterior, own, extended, similarity, _ = world(2, n=500)
    fitted = BorrowedVoteCalibration(2).fit(posterior, own, extended, similarity, np.full(4, 0.9))
    nothing = np.full((3, 4), np.nan, dtype=np.float32)
    np.testing.assert_allclose(fitted.weight(nothing), 0, atol=1e-12)


def test_thresholds_are_the_lowest_similarity_that_carries_the_share():
    posterior, own, extended, similarity, _ = world(2, n=8000)
    accuracy = np.array([0.9, 0.8, 0.9, 0.5])
    fitted = BorrowedVoteCalibration(2).fit(posterior, own, extended, similarity, accuracy)
    for share, thresholds in ((0.1, fitted.thresholds_), (0.5, fitted.thresholds(0.5))):
        assert thresholds[3] == 1.0  # as good as chance itself: nothing to borrow
        for lf in range(3):
            own_weight = np.log(accuracy[lf] / (1 - accuracy[lf]))
            at = np.full((2, 4), np.nan, dtype=np.float32)
            at[:, lf] = thresholds[lf], thresholds[lf] - 1 / 512
            weights = fitted.weight(at)[:, lf]
            assert weights[0] >= share * own_weight > weights[1]
    assert (fitted.thresholds(0.5)[:3] > fitted.thresholds_[:3]).all()


def test_without_overlap_the_prior_line_is_all_there_is():
    own = np.array([[0], [1], [-1]], dtype=np.int8)
    extended = np.array([[0], [1], [1]], dtype=np.int8)
    similarity = np.array([[1], [1], [0.6]], dtype=np.float32)
    posterior = np.array([[0.8, 0.2], [0.2, 0.8], [0.5, 0.5]])
    fitted = BorrowedVoteCalibration(2, floor=0.2).fit(
        posterior, own, extended, similarity, np.array([0.8])
    )
    assert np.isnan(fitted.confidence_)
    assert fitted.evidence_.tolist() == [0]
    asked = np.array([[0.1], [0.2], [0.6], [1.0]], dtype=np.float32)
    np.testing.assert_allclose(fitted.accuracy(asked)[:, 0], [0.5, 0.5, 0.65, 0.8], atol=2e-3)


def test_a_posterior_that_knows_nothing_makes_borrowed_votes_worth_nothing():
    _, own, extended, similarity, _ = world(2, n=4000)
    flat = np.full((4000, 2), 0.5)
    fitted = BorrowedVoteCalibration(2).fit(flat, own, extended, similarity, np.full(4, 0.9))
    assert fitted.weight(similarity)[own < 0].max() < 0.2


@pytest.mark.parametrize("n_classes", [2, 3])
def test_evidence_is_gathered_as_by_loops(n_classes):
    k, draw = n_classes, np.random.default_rng(7)
    extended = draw.integers(-1, 2 * k, (500, 3)).astype(np.int8)
    own = np.where(draw.random((500, 3)) < 0.6, np.int8(-1), extended)
    similarity = np.where(own >= 0, 1, draw.choice([-1, -0.4, 0.3, 0.31, 0.9], (500, 3)))
    similarity = np.where(extended >= 0, similarity, np.nan).astype(np.float32)
    posterior = draw.dirichlet(np.ones(k), 500)
    fitted = BorrowedVoteCalibration(k).fit(posterior, own, extended, similarity, np.full(3, 0.9))
    evidence, confidence = np.zeros(3, int), []
    agreement, counts = np.zeros((3, 1025)), np.zeros((3, 1025))
    for row in range(500):
        for lf in range(3):
            vote = extended[row, lf]
            if own[row, lf] < 0 <= vote and (own[row] >= 0).any():
                said = posterior[row, vote % k]
                said = said if vote < k else 1 - (k - 1) * said
                point = round((float(similarity[row, lf]) + 1) * 512)
                agreement[lf, point] += said
                counts[lf, point] += 1
                evidence[lf] += 1
                confidence.append(posterior[row].max())
    assert fitted.evidence_.tolist() == evidence.tolist()
    assert fitted.confidence_ == pytest.approx(np.mean(confidence), abs=1e-8)
    c, wrong = fitted.confidence_, (1 - fitted.confidence_) / (k - 1)
    right = (agreement - wrong * counts) / (c - wrong)
    pool = fitted._isotonic(right.sum(axis=0), counts.sum(axis=0), fitted._prior(), 50)
    for lf in range(3):
        curve = fitted._isotonic(right[lf], counts[lf], pool, 200)
        expected = np.clip(curve, 1 / k, fitted._own_accuracy[lf])
        np.testing.assert_allclose(fitted.curve_[lf], expected, atol=1e-7)
