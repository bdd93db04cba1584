"""Contact sheets: which items, and how large."""

import base64
import io

import numpy as np
import polars as pl
from PIL import Image

from assets.pictures import (
    COLUMNS,
    MOST_BYTES,
    Tile,
    caption,
    contact_sheet,
    surest_and_least_sure,
)


def thumbnail(seed, size=(160, 90)):
    noise = np.random.default_rng(seed).integers(0, 256, (size[1] // 3, size[0] // 3, 3))
    buffer = io.BytesIO()
    Image.fromarray(noise.astype(np.uint8)).resize(size).save(buffer, "JPEG")
    return buffer.getvalue()


def picture(markdown):
    encoded = markdown.value.partition("base64,")[2].rstrip(")")
    content = base64.b64decode(encoded)
    return content, Image.open(io.BytesIO(content))


def test_a_sheet_has_a_row_per_title_and_goes_on_below():
    tiles = [Tile(f"item {i}\nP = 0.5", thumbnail(i)) for i in range(COLUMNS + 1)]
    _, one = picture(contact_sheet([("a class", tiles[:2])]))
    _, two = picture(contact_sheet([("a class", tiles[:2]), ("another", tiles[:2])]))
    _, long = picture(contact_sheet([("a class", tiles)]))
    assert two.height == 2 * one.height
    assert two.width == one.width
    assert one.height < long.height < 2 * one.height
    assert long.width == COLUMNS // 2 * one.width


def test_a_sheet_stays_small():
    tiles = [Tile(f"item {i}\nP = 0.5", thumbnail(i)) for i in range(96)]
    content, _ = picture(contact_sheet([("", tiles)]))
    assert len(content) <= MOST_BYTES


def test_no_thumbnail_and_no_tiles():
    upright = Tile("upright", thumbnail(0, (90, 160)))
    _, found = picture(contact_sheet([("", [Tile("absent", None), upright])]))
    assert found.height > 100
    picture(contact_sheet([]))
    picture(contact_sheet([("empty", [])]))


def test_the_surest_and_the_least_sure_of_every_class():
    confidence = [0.51, 0.6, 0.7, 0.8, 0.9, 0.95]
    labels = pl.DataFrame(
        {
            "item_id": [f"i{i}" for i in range(6)] + ["other"],
            "video": ["a", "a", "b", "b", "b", "a", "a"],
            "label": ["x"] * 6 + ["y"],
            "confidence": [*confidence, 0.99],
        }
    )
    found = surest_and_least_sure(labels, each=2)
    assert found["item_id"].to_list() == ["i5", "i4", "i2", "i0", "other"]  # one of each video
    assert found["surest"].to_list() == [True, True, False, False, True]
    assert surest_and_least_sure(labels, each=9).height == 7


def test_a_caption_names_file_and_second():
    assert caption("data/some@clip.mp4@000012.680", "P = 0.9") == "some@clip.mp4\n12.7 s  P = 0.9"
    assert caption("clip.mp4@000000.000") == "clip.mp4\n0.0 s"
