"""How right an LF is by labelled items, alone or on top of what is known without labels."""

from epoxy_core.errors import EpoxyError

_CONTRADICTION = 2.576
_LEAST_ERROR = 1e-3


def normal_quantile(level: float) -> float:
    """How many standard errors either way a normal variable stays within with this probability.

    Raises
    ------
    EpoxyError
        If the level is not between 0 and 1.
    """
    from scipy.special import ndtri

    if not 0 < level < 1:
        raise EpoxyError(
            f"level {level}",
            where="interval",
            remedy="Give the share of intervals that shall hold the truth, such as 0.9.",
        )
    return float(ndtri((1 + level) / 2))


def dev_interval(n_right: int, n: int, level: float = 0.9) -> tuple[float, float]:
    """Interval of an accuracy by ``n`` votes on labelled items, ``n_right`` of them right.

    Wilson (1927): it stays within 0 and 1, and is 0 to 1 without votes.

    Raises
    ------
    EpoxyError
        If more are right than there are, or the level is not between 0 and 1.
    """
    quantile = normal_quantile(level)
    if not 0 <= n_right <= n:
        raise EpoxyError(
            f"{n_right} of {n} votes are right",
            where="dev votes",
            remedy="Count the LF's votes on labelled items, and of these the right ones.",
        )
    if n == 0:
        return 0.0, 1.0
    squared = quantile**2
    centre = (n_right + squared / 2) / (n + squared)
    spread = quantile / (n + squared) * (n_right * (n - n_right) / n + squared / 4) ** 0.5
    return max(0.0, centre - spread), min(1.0, centre + spread)


def combined_interval(
    estimate: float, low: float, high: float, n_right: int, n: int, level: float = 0.9
) -> tuple[float, float, float]:
    """Add votes on labelled items to an estimate made without labels: estimate, low and high.

    The label-free interval is taken as a Beta prior of its width: an interval that holds the
    truth as often as it says is worth e·(1 − e)/error² − 1 labelled votes. The result is the
    posterior's mean and central interval. If the labelled votes contradict the prior (by 2.576
    of the standard error of their difference, 1 % by chance), whatever made it does not hold, and
    the labelled votes stand alone (mean, Wilson interval).

    Parameters
    ----------
    estimate, low, high
        As in `AccuracyIntervals`, at the same level.
    n_right, n
        Right votes and votes of the LF on labelled items.
    level
        Of both intervals.
    """
    from scipy.special import betaincinv

    alone = dev_interval(n_right, n, level)
    if n == 0:
        return estimate, low, high
    error = max((high - low) / (2 * normal_quantile(level)), _LEAST_ERROR)
    variance = estimate * (1 - estimate)
    if abs(n_right / n - estimate) > _CONTRADICTION * (error**2 + variance / n) ** 0.5:
        return n_right / n, *alone
    worth = max(variance / error**2 - 1, 1.0)
    right = worth * estimate + n_right
    wrong = worth * (1 - estimate) + n - n_right
    ends = betaincinv(max(right, 0.5), max(wrong, 0.5), [(1 - level) / 2, (1 + level) / 2])
    return right / (right + wrong), float(ends[0]), float(ends[1])
