"""Neighbours in time are on one side of a fold."""

import numpy as np
import polars as pl
import pytest

from epoxy_core.item_folds import BLOCKS, ENOUGH_SEQUENCES, fold_columns, fold_keys
from epoxy_core.settings import ItemSequence, LabelModelSettings
from epoxy_core.source_settings import TextSource
from epoxy_core.task import Task


def task(*, ordered):
    sequence = ItemSequence(by="talk", order="turn") if ordered else None
    return Task(
        name="t",
        source=TextSource(paths=["-"]),
        classes=["a", "b"],
        label_model=LabelModelSettings(sequence=sequence),
    )


def talks(lengths):
    rows = [(f"talk {i}", float(turn)) for i, n in enumerate(lengths) for turn in range(n)]
    frame = pl.DataFrame(rows, schema=["talk", "turn"], orient="row")
    hashes = pl.Series("content_hash", [f"h{i % 7}" for i in range(frame.height)])
    return frame.with_columns(hashes).sample(fraction=1, shuffle=True, seed=0)


def test_without_an_order_copies_share_a_key():
    items = talks([30])
    assert fold_keys(task(ordered=False), items) == items["content_hash"].to_list()
    assert fold_columns(task(ordered=False)) == ["content_hash"]


def test_many_sequences_stay_whole():
    items = talks([5] * ENOUGH_SEQUENCES)
    assert fold_keys(task(ordered=True), items) == items["talk"].to_list()


@pytest.mark.parametrize("length", [1, 3, BLOCKS, 57])
def test_few_sequences_are_cut_into_stretches_of_time(length):
    items = talks([length, 40])
    keys = items.with_columns(key=pl.Series(fold_keys(task(ordered=True), items))).sort("turn")
    for (_talk,), rows in keys.group_by("talk"):
        parts = rows["key"].rle_id()
        assert parts.max() + 1 == rows["key"].n_unique() == min(BLOCKS, rows.height)
        sizes = rows["key"].value_counts()["count"].to_numpy()
        assert np.ptp(sizes) <= 1
    of_talk = keys.group_by("talk").agg("key")["key"].to_list()
    assert not set(of_talk[0]) & set(of_talk[1])
