import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epoxy_core.label_model.forward_backward import forward_backward


def by_enumeration(changed, stayed, pattern, starts, initial, transition):
    """Every path of classes, one after the other."""
    n, k = len(pattern), len(initial)
    marginal, same, moves, total = np.zeros((n, k)), np.zeros((n, k)), np.zeros((k, k)), 0.0
    for path in itertools.product(range(k), repeat=n):
        chance = 1.0
        for at, label in enumerate(path):
            if starts[at]:
                chance *= initial[label] * np.exp(changed[pattern[at], label])
                continue
            before = path[at - 1]
            table = stayed if before == label else changed
            chance *= transition[before, label] * np.exp(table[pattern[at], label])
        total += chance
        for at, label in enumerate(path):
            marginal[at, label] += chance
            if not starts[at] and path[at - 1] == label:
                same[at, label] += chance
            elif not starts[at]:
                moves[path[at - 1], label] += chance
    return marginal / total, same / total, moves / total, np.log(total)


@given(st.integers(0, 10_000), st.sampled_from([(2, 11), (3, 6), (4, 5)]), st.booleans())
@settings(max_examples=40, deadline=None)
def test_equals_enumeration(seed, size, cut):
    k, longest = size
    draw = np.random.default_rng(seed)
    n = int(draw.integers(1, longest + 1))
    arguments = (
        draw.normal(-1, 3, (4, k)),
        draw.normal(-1, 3, (4, k)),
        draw.integers(4, size=n),
        (draw.random(n) < 0.3 * cut) | (np.arange(n) == 0),
        draw.dirichlet(np.ones(k)),
        draw.dirichlet(np.ones(k), size=k),
    )
    found = forward_backward(*arguments)
    for ours, theirs in zip(found, by_enumeration(*arguments), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-9)


def step_by_step(emission, transition, initial):
    """Forward–backward item by item, scaled."""
    forward = [initial * emission[0] / (initial @ emission[0])]
    for now in emission[1:]:
        reached = forward[-1] @ transition * now
        forward.append(reached / reached.sum())
    backward = [np.ones(len(initial))]
    for after in emission[:0:-1]:
        reached = transition @ (after * backward[-1])
        backward.append(reached / reached.sum())
    joint = np.array(forward) * np.array(backward[::-1])
    return joint / joint.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("k", [2, 4])
def test_blocks_join_over_long_chains(k):
    draw = np.random.default_rng(k)
    table = draw.normal(0, 2, (9, k))
    pattern = draw.integers(9, size=5003)
    transition = draw.dirichlet(np.ones(k), size=k) * 0.02 + 0.98 * np.eye(k)
    initial = draw.dirichlet(np.ones(k))
    starts = np.arange(5003) == 0
    found = forward_backward(table, table, pattern, starts, initial, transition)
    expected = step_by_step(np.exp(table[pattern]), transition, initial)
    np.testing.assert_allclose(found.marginal, expected, atol=1e-9)
    assert found.stayed.sum() + found.moves.sum() == pytest.approx(5002)


def test_evidence_of_thousands_of_lfs_does_not_underflow():
    logs = np.array([[-4000.0, -9000.0], [-9000.0, -4000.0]])
    pattern = np.repeat([0, 1, 0], 400)
    found = forward_backward(
        logs, logs, pattern, np.arange(1200) == 0, np.full(2, 0.5), np.array([[0.9, 0.1]] * 2)
    )
    np.testing.assert_allclose(found.marginal, np.eye(2)[pattern], atol=1e-9)


def test_no_items():
    nothing = np.empty((0, 3))
    found = forward_backward(
        nothing, nothing, np.empty(0, np.intp), np.empty(0, bool), np.ones(3) / 3, np.ones((3, 3))
    )
    assert found.marginal.shape == (0, 3)
