import threading
import time

import pytest

from epoxy_core.embed.feed import Ahead, batches


def counting(made, most=1000, problem=None, ended=None):
    try:
        for number in range(most):
            made.append(number)
            yield number
        if problem:
            raise problem
    finally:
        if ended is not None:
            ended.set()


def test_everything_in_order():
    with Ahead(lambda: counting([]), 3) as ahead:
        assert list(ahead) == list(range(1000))


def test_no_more_than_a_bounded_number_ahead():
    made = []
    with Ahead(lambda: counting(made), 4) as ahead:
        assert next(iter(ahead)) == 0
        time.sleep(0.05)
        assert len(made) <= 6  # taken, waiting, and the one in hand


def test_it_is_made_in_another_thread_that_ends():
    ended, before = threading.Event(), threading.active_count()
    with Ahead(lambda: counting([], ended=ended), 1) as ahead:
        assert next(iter(ahead)) == 0
        assert threading.active_count() == before + 1
    assert ended.is_set()
    assert threading.active_count() == before


def test_a_problem_comes_after_what_was_made():
    problem = ValueError("broken")
    with Ahead(lambda: counting([], most=5, problem=problem), 2) as ahead:
        found = batches(ahead, 3)
        assert [next(found), next(found)] == [[0, 1, 2], [3, 4]]
        with pytest.raises(ValueError, match="broken"):
            next(found)


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (3, [3]), (7, [3, 3, 1])])
def test_batches(count, sizes):
    assert [len(batch) for batch in batches(range(count), 3)] == sizes
