import pytest

from epoxy_core.report import on_a_clock


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.4, "0:00 minutes"),
        (59.6, "1:00 minutes"),
        (167, "2:47 minutes"),
        (3600, "1:00:00 hours"),
        (90061, "25:01:01 hours"),
    ],
)
def test_a_duration_is_said_as_on_a_clock(seconds, shown):
    assert on_a_clock(seconds) == shown
