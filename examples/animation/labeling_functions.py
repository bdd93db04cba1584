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
    """Half of the picture is one colour: a background that was filled, not lit."""
    return pl.col("dominance") >= 0.5


@expression_labeling_function(vote="animated")
def few_colors() -> pl.Expr:
    """A light source, even a plain one, gives more shades than a designer's palette."""
    return pl.col("palette") <= 0.03


@expression_labeling_function(vote="animated")
def no_grain() -> pl.Expr:
    """A sensor adds noise to the plainest wall; a computed surface has none."""
    return pl.col("noise") <= 0.0005


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
    muted = pl.col("saturation").is_between(0.05, 0.32)
    return muted & pl.col("colorfulness").is_between(0.03, 0.13) & (pl.col("smooth") <= 0.5)


@expression_labeling_function(vote="live_action")
def skin_and_wood() -> pl.Expr:
    """Reds and oranges, the hues of faces, hands, rooms and furniture, fill a quarter or more."""
    return hue(RED) + hue(ORANGE) >= 0.25


@expression_labeling_function(vote="live_action")
def grain() -> pl.Expr:
    """A little noise where there is little detail, and few areas without any gradient."""
    return pl.col("noise").is_between(0.0015, 0.009) & (pl.col("smooth") <= 0.4)


@expression_labeling_function(vote="live_action")
def television_rate() -> pl.Expr:
    """Cameras record at the odd rates of television; renderers count in whole frames."""
    fps = pl.col("fps")
    return pl.any_horizontal((fps - rate).abs() < 0.01 for rate in (23.976, 29.97, 59.94))


@expression_labeling_function(vote="live_action")
def dated() -> pl.Expr:
    """Cameras and phones write when they recorded; 1970 is what no clock was asked for."""
    year = pl.col("meta_creation_time").str.slice(0, 4).cast(pl.Int32, strict=False)
    return year >= 1995
