"""Heuristics for drawn or filmed frames, from image statistics, time and container metadata.

Written from the training and dev clips alone. Three more are in task.yaml. What the columns mean
is in docs/video.md. Class names: animated, live_action.
"""

import polars as pl

from epoxy_core.labeling import expression_labeling_function, lasts, within

# Positions in `colors`: twelve hues from red, then black, dark grey, light grey and white.
RED, ORANGE = 0, 1


def hue(position: int) -> pl.Expr:
    """Share of the picture in one hue."""
    return pl.col("colors").list.get(position)


# Drawn or rendered. ---------------------------------------------------------------------------


@expression_labeling_function(vote="animated")
def one_color_rules() -> pl.Expr:
    """Most of the picture is one colour: a background that was filled, not lit."""
    return pl.col("dominance") >= 0.6


@expression_labeling_function(vote="animated")
def no_grain() -> pl.Expr:
    """A sensor adds noise to the plainest wall; a computed surface has none."""
    return pl.col("noise") <= 0.0003


@expression_labeling_function(vote="animated")
def outlines() -> pl.Expr:
    """Hard edges between areas without any gradient: lines and letters, and what they fill."""
    return (pl.col("smooth") >= 0.5) & (pl.col("edges") >= 0.05)


@expression_labeling_function(vote="animated")
def holds_still() -> pl.Expr:
    """Nothing at all changes for a second: no camera is that quiet."""
    return lasts(1.0, pl.col("motion") <= 0.0005)


@expression_labeling_function(vote="animated")
def fades_in() -> pl.Expr:
    """Titles and logos appear on a frame of one colour."""
    return within(1.0, of="flat")


# Filmed. --------------------------------------------------------------------------------------


@expression_labeling_function(vote="live_action")
def muted_colors() -> pl.Expr:
    """The world outside is less colourful than what is made to please, but hardly ever grey."""
    pale = pl.col("saturation").is_between(0.05, 0.3)
    plain = pl.col("colorfulness").is_between(0.03, 0.12)
    return pale & plain & (pl.col("smooth") <= 0.3)


@expression_labeling_function(vote="live_action")
def skin_and_wood() -> pl.Expr:
    """Reds and oranges, the hues of faces, hands, rooms and furniture, fill a quarter or more."""
    return hue(RED) + hue(ORANGE) >= 0.25


@expression_labeling_function(vote="live_action")
def grain() -> pl.Expr:
    """A little noise where there is little detail, and few areas without any gradient."""
    return pl.col("noise").is_between(0.0015, 0.009) & (pl.col("smooth") <= 0.3)


@expression_labeling_function(vote="live_action")
def television_rate() -> pl.Expr:
    """Cameras record at the odd rates of television; renderers count in whole frames."""
    fps = pl.col("fps")
    return pl.any_horizontal((fps - rate).abs() < 0.01 for rate in (23.976, 29.97, 59.94))
