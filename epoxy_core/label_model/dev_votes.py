"""How right an LF is by labelled items."""

from epoxy_core.errors import EpoxyError


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
