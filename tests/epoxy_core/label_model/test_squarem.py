"""Extrapolated EM ends where EM ends, sooner."""

import numpy as np

from benchmarks.synthetic_votes import both_class, sample
from epoxy_core.label_model.em import AnchoredEM
from epoxy_core.label_model.squarem import squarem
from epoxy_core.label_model.unique_votes import unique_votes


def test_it_ends_where_em_ends_in_a_fraction_of_the_steps():
    votes, _ = sample(both_class(2), 4000, 3)
    em = AnchoredEM(unique_votes(votes, None, 2), np.full(2, 0.5), 1, 20, informative=False)
    weights = np.ones(10)
    start = em.fit(weights, 1e-5, 200).posterior

    def step(now):
        given, quiet, balance = now
        evidence = np.log(given)
        posterior = em._e_step(evidence, np.zeros_like(quiet), balance)
        return (*em._m_step(posterior), em._learned_balance(posterior))

    now, steps, moved = (*em._m_step(start), np.full(2, 0.5)), 0, 1.0
    while moved > 1e-9:
        then = step(now)
        moved = max(np.abs(a - b).max() for a, b in zip(then, now, strict=True))
        now, steps = then, steps + 1
    found = em.fit_near(start, weights, 1e-7, 500, learn_balance=True)
    assert found.converged
    assert found.n_iterations < steps / 4
    np.testing.assert_allclose(found.balance, now[2], atol=1e-4)
    np.testing.assert_allclose(found.given, now[0], atol=1e-4)
    held = em.holding(np.array([0.7, 0.3])).fit_near(start, weights, 1e-7, 500, learn_balance=False)
    again = em.holding(np.array([0.7, 0.3])).fit(weights, 1e-9, 2000)
    np.testing.assert_array_equal(held.balance, [0.7, 0.3])
    np.testing.assert_allclose(held.posterior, again.posterior, atol=1e-4)


def test_it_stops_after_so_many_steps_and_zeros_stay():
    made = []

    def step(now):
        made.append(now)
        return (now[0] * 0.9 + 0.05 * (now[0] > 0),)

    found = squarem(step, (np.array([0.9, 0.1, 0.0]),), 0.0, 7)
    assert (found.n_steps, found.converged) == (len(made), False)
    assert 7 <= found.n_steps <= 9
    assert found.parameters[0][2] == 0
    found = squarem(step, (np.array([0.9, 0.1, 0.0]),), 1e-12, 100)
    assert found.converged
    np.testing.assert_allclose(found.parameters[0], [0.5, 0.5, 0], atol=1e-10)
    assert found.n_steps < 30  # 250 without
