"""Contact sheets: thumbnails of items as one picture for the Dagster UI."""

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import dagster as dg
import polars as pl

if TYPE_CHECKING:
    from PIL.Image import Image

COLUMNS = 8
WIDTHS = (144, 112, 88, 64)
"""Of a tile, pixels: the first with which the sheet stays small enough."""

MOST_BYTES = 200_000
"""A sheet is kept in the event log, one for every run."""

_CAPTION, _TITLE, _GAP = 26, 18, 4
_INK, _PAPER, _ABSENT = (40, 40, 40), (255, 255, 255), (225, 225, 225)


class Tile(NamedTuple):
    """One item: its caption, and its JPEG thumbnail if it has one."""

    caption: str
    thumbnail: bytes | None


def contact_sheet(rows: Sequence[tuple[str, Sequence[Tile]]]) -> dg.MarkdownMetadataValue:
    """Rows of captioned thumbnails, as a picture of at most `MOST_BYTES`.

    Parameters
    ----------
    rows
        Title and tiles of each; one that is too long goes on below.
    """
    content = b""
    for width in WIDTHS:
        content = _jpeg(rows, width)
        if len(content) <= MOST_BYTES:
            break
    encoded = base64.b64encode(content).decode()
    return dg.MetadataValue.md(f"![frames](data:image/jpeg;base64,{encoded})")


def surest_and_least_sure(labels: pl.DataFrame, each: int) -> pl.DataFrame:
    """The items of every class with the highest and with the lowest confidence.

    Parameters
    ----------
    labels
        item_id, video, label, confidence.
    each
        How many of both; of one video another only where no other video is left.

    Returns
    -------
    polars.DataFrame
        The same columns, and ``surest``: by class, the surest first, then the least sure.
    """
    parts = []
    for surest in (True, False):
        ranked = labels.sort("confidence", "item_id", descending=[surest, False])
        ranked = ranked.with_columns(
            turn=pl.int_range(pl.len()).over("label", "video"), surest=pl.lit(surest)
        )
        parts.append(
            ranked.sort("turn", maintain_order=True)
            .group_by("label", maintain_order=True)
            .head(each)
        )
    chosen = pl.concat(parts).unique("item_id", keep="first", maintain_order=True)
    return chosen.drop("turn").sort(
        "label", "surest", "confidence", descending=[False, True, True], maintain_order=True
    )


def caption(item_id: str, note: str = "") -> str:
    """File and second of an item of a video, and what is to be said of it."""
    video, _, start = item_id.rpartition("/")[2].rpartition("@")
    return f"{video}\n{float(start):.1f} s  {note}".rstrip()


def _jpeg(rows: Sequence[tuple[str, Sequence[Tile]]], width: int) -> bytes:
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size=9)
    strips = [
        (title if not first else "", tiles[first : first + COLUMNS])
        for title, tiles in rows
        for first in range(0, max(1, len(tiles)), COLUMNS)
    ]
    height = round(width * 0.75)
    heights = [(_TITLE if title else 0) + height + _CAPTION for title, _ in strips]
    across = max((len(tiles) for _, tiles in strips), default=1)
    sheet = Image.new("RGB", (max(1, across) * (width + _GAP), max(1, sum(heights))), _PAPER)
    draw = ImageDraw.Draw(sheet)
    top = 0
    for (title, tiles), tall in zip(strips, heights, strict=True):
        if title:
            draw.text((1, top + 2), title, _INK, ImageFont.load_default(size=12))
        for column, tile in enumerate(tiles):
            left, below = column * (width + _GAP), top + tall - height - _CAPTION
            picture = _picture(tile.thumbnail, width, height)
            sheet.paste(picture, (left, below + height - picture.height))
            lines = _wrapped(tile.caption, max(8, width // 5))
            draw.multiline_text((left, below + height + 1), lines, _INK, font, spacing=1)
        top += tall
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def _picture(thumbnail: bytes | None, width: int, height: int) -> "Image":
    from PIL import Image

    if thumbnail is None:
        return Image.new("RGB", (width, height), _ABSENT)
    picture = Image.open(io.BytesIO(thumbnail)).convert("RGB")
    picture.thumbnail((width, height))
    return picture


def _wrapped(caption: str, most: int) -> str:
    """The end of the first line, which tells names apart, and the beginning of the second."""
    first, _, second = caption.partition("\n")
    return f"{first[-most:]}\n{second[:most]}"
