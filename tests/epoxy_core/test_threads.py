import numpy as np
import pytest

from epoxy_core import threads
from epoxy_core.threads import by_rows


@pytest.mark.parametrize("n", [0, 1, 7, 100])
@pytest.mark.parametrize("count", [1, 3, 200])
def test_every_row_is_worked_on_once(n, count, monkeypatch):
    monkeypatch.setattr(threads, "thread_count", lambda: count)
    seen = np.zeros(n, int)

    def work(first, last):
        seen[first:last] += 1

    by_rows(n, work, least=1)
    assert (seen == 1).all()


def test_an_error_of_a_thread_is_raised(monkeypatch):
    monkeypatch.setattr(threads, "thread_count", lambda: 2)

    def work(first, last):
        if first:
            raise ValueError("second half")

    with pytest.raises(ValueError, match="second half"):
        by_rows(10, work, least=1)
