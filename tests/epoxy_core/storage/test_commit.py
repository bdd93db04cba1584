"""The quick commit of a warm session leaves the tables that a cold relabeling would."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from epoxy_core.combine import Reach, VoteMatrices, combine
from epoxy_core.extension import ExtendedVotes
from epoxy_core.labeling import LFError, LFResult
from epoxy_core.lend import Lent
from epoxy_core.source_settings import TextSource
from epoxy_core.storage.commit import Held, commit, labels_held
from epoxy_core.storage.database import Database, OutOfStepError, put
from epoxy_core.storage.label_runs import label_runs, labels_of
from epoxy_core.storage.learned import put_learned
from epoxy_core.storage.publish import RunFacts, publish
from epoxy_core.storage.published import matrix_of, unlike
from epoxy_core.storage.votes import (
    error_rows,
    extended_rows,
    keep_only,
    put_extended,
    reach_row,
    vote_rows,
)
from epoxy_core.task import Task

N, K, FLOOR = 400, 3, 0.2
IDS = pl.Series("item_id", [f"i{row:04d}" for row in range(N)])
TASK = Task(name="t", source=TextSource(paths="x.csv"), classes=["a", "b", "c"])
GOLD = np.random.default_rng(0).integers(0, K, N)
FACTS = RunFacts("a run", {"one": "v1"}, "encoder", {"items": "i"})
ORDERED = {
    "lf_votes": "item_id, lf, vote, probability",
    "lf_errors": "lf, item_id, error, n_errors",
    "extended_votes": "item_id, lf, vote, probability, source_item_id, similarity",
    "extension": "*",
    "label_model": "lf, threshold, weight, depends_on",
    "choices": "*",
    "evidence": "*",
    "labels": "item_id, label, confidence, probabilities, votes",
    "label_history": "r.created_at, h.* EXCLUDE (run_id)",
    "label_changes": "r.created_at, h.* EXCLUDE (run_id, causes)",
    "superseded": "*",
    "superseded_votes": "*",
}


@dataclass(frozen=True)
class Column:
    result: LFResult
    lent: Lent


def column(rng, lf, coverage=0.25, soft=False):
    votes = np.where(rng.random(N) < 0.85 - 0.05 * lf, GOLD, rng.integers(0, K, N)).astype(np.int8)
    votes[rng.random(N) > coverage] = -1
    strength = None
    if soft:
        strength = np.where(votes >= 0, rng.uniform(0.5, 1, N), 1).astype(np.float32)
    voters = np.flatnonzero(votes >= 0)
    source = rng.choice(voters, N).astype(np.int32)
    source = np.where(rng.random(N) < 0.5, source, -1).astype(np.int32)
    source[voters] = voters
    similarity = rng.uniform(FLOOR, 1, N).astype(np.float32)
    similarity[source < 0] = np.nan
    similarity[voters] = 1
    lent = ExtendedVotes(
        np.where(source >= 0, votes[source], -1).astype(np.int8),
        source,
        similarity,
        None if strength is None else np.where(source >= 0, strength[source], 1).astype(np.float32),
    )
    errors = [LFError("i0001", "no")] if lf % 2 else []
    return Column(LFResult(votes, errors, len(errors), strength), Lent(lent, FLOOR, "auto"))


def held(columns):
    lent = [one.lent.extended for one in columns.values()]
    soft = any(one.strength is not None for one in lent)
    plain = np.ones(N, np.float32)
    votes = VoteMatrices(
        np.stack([one.result.votes for one in columns.values()], axis=1),
        np.stack([one.votes for one in lent], axis=1),
        np.stack([one.similarity for one in lent], axis=1),
        np.stack([plain if one.strength is None else one.strength for one in lent], axis=1)
        if soft
        else None,
        tuple(columns),
    )
    m = len(columns)
    reach = Reach(np.full(m, FLOOR), np.ones(m, np.bool_), FLOOR)
    combined = combine(TASK, votes, reach, np.full(N, -1, np.int8))
    return Held(columns, combined, labels_held(TASK, columns, combined, combined.labels), False)


def write_cold(database, now):
    """What the assets write, one by one."""
    with database.write() as connection:
        for lf, one in now.columns.items():
            own, lent = one.result, one.lent.extended
            rows = vote_rows(IDS, lf, own.votes, own.strength)
            put(connection, "lf_votes", rows, "lf = ?", lf)
            put(connection, "lf_errors", error_rows(lf, own), "lf = ?", lf)
            columns = lent.votes, lent.source, lent.similarity, lent.strength
            put_extended(connection, lf, extended_rows(IDS, lf, *columns))
            put(connection, "extension", reach_row(lf, one.lent, FLOOR), "lf = ?", lf)
        put_learned(connection, list(now.columns), now.combined, None)
        keep_only(connection, list(now.columns))
        made = now.combined
        names = pl.Series([*TASK.classes, None], dtype=pl.String)
        predictions = {
            "item_id": IDS,
            "stage": ["extended_votes"] * N,
            "label": names.gather(np.where(made.labels < 0, K, made.labels)),
            "confidence": made.extended.max(axis=1),
            "probabilities": made.extended.astype(np.float32).tolist(),
        }
        put(connection, "predictions", pl.DataFrame(predictions))
    return publish(database, TASK, FACTS)


def database_at(path, now):
    found = Database(path)
    items = {"item_id": IDS, "split": ["dev"] * N, "text": IDS, "content_hash": IDS}
    found.replace("items", pl.DataFrame(items))
    return found, write_cold(found, now).run["run_id"]


def table(database, name):
    joined = "r.created_at" in ORDERED[name]
    source = f"{name} h JOIN label_runs r USING (run_id)" if joined else name
    if joined:  # times of a run differ: their order must not
        nth = "dense_rank() OVER (ORDER BY r.created_at) AS nth"
        rows = database.query(f"SELECT {nth}, {ORDERED[name]} FROM {source}").drop("created_at")
    else:
        rows = database.query(f"SELECT {ORDERED[name]} FROM {source}")
    return rows.sort(pl.all().exclude(pl.List))


def same_tables(warm, cold):
    for name in ORDERED:
        assert table(warm, name).equals(table(cold, name)), name
    causes = [
        database.query("SELECT item_id, causes FROM label_changes ORDER BY ALL").explode("causes")
        for database in (warm, cold)
    ]
    first, second = (found.unnest("causes") for found in causes)
    assert first.select("item_id").equals(second.select("item_id"))
    difference = (first["contribution"] - second["contribution"]).abs().max()
    assert difference is None or difference < 1e-4


def edits(rng):
    """Votes after one edit after another."""
    columns = {f"lf{lf}": column(rng, lf, soft=lf == 3) for lf in range(4)}
    yield columns
    columns = {**columns, "lf1": column(rng, 1)}
    yield columns
    columns = {**columns, "lf3": column(rng, 3), "new": column(rng, 0, coverage=0.05)}
    yield columns
    columns = {name: one for name, one in columns.items() if name != "lf0"}
    yield columns
    raised = Column(LFResult(columns["new"].result.votes, [], 0), columns["new"].lent)
    yield {**columns, "new": raised}


def test_a_commit_leaves_what_a_cold_relabeling_leaves(tmp_path):
    moments = [held(columns) for columns in edits(np.random.default_rng(1))]
    warm, last = database_at(tmp_path / "warm.duckdb", moments[0])
    cold, _ = database_at(tmp_path / "cold.duckdb", moments[0])
    kept = [moments[0].labels]
    for before, after in pairwise(moments):
        made = commit(warm, TASK, FACTS, IDS, before.columns, before, after, FLOOR, last)
        expected = write_cold(cold, after)
        names = ("n_items", "n_labeled", "n_changed", "n_flipped", "share_flipped", "thresholds")
        assert {name: made.run[name] for name in names} == {
            name: expected.run[name] for name in names
        }
        assert made.run["n_changed"] > 0 or after is moments[-1]
        last = made.run["run_id"]
        kept.append(after.labels)
        same_tables(warm, cold)
    for run, labels in zip(label_runs(warm), kept, strict=True):
        rows = labels_of(warm, run)
        known = np.flatnonzero(labels.labelled)
        assert rows["item_id"].equals(IDS.gather(known))
        steps = np.rint(100 * matrix_of(rows["probabilities"], K))
        np.testing.assert_array_equal(steps, labels.steps[known])


def test_rows_say_which_run_changed_them(tmp_path):
    first, second = [held(columns) for columns in edits(np.random.default_rng(2))][:2]
    database, last = database_at(tmp_path / "labels.duckdb", first)
    made = commit(database, TASK, FACTS, IDS, first.columns, first, second, FLOOR, last)
    other = set(IDS.gather(unlike(first.labels, second.labels)))
    assert 0 < len(other) < N
    rows = database.query("SELECT item_id, run_id FROM labels")
    for item, run in rows.iter_rows():
        assert run == (made.run["run_id"] if item in other else last)


def test_votes_that_change_no_label_make_no_run(tmp_path):
    now = held(next(edits(np.random.default_rng(3))))
    database, last = database_at(tmp_path / "labels.duckdb", now)
    own = now.columns["lf1"].result
    again = Column(
        LFResult(own.votes.copy(), [LFError("i0002", "why")], 1), now.columns["lf1"].lent
    )
    after = Held({**now.columns, "lf1": again}, now.combined, now.labels, False)
    assert commit(database, TASK, FACTS, IDS, now.columns, now, after, FLOOR, last) is None
    errors = database.query("SELECT item_id, error FROM lf_errors WHERE lf = 'lf1'")
    assert errors.rows() == [("i0002", "why")]
    assert len(label_runs(database)) == 1


@pytest.mark.parametrize(
    "meddling",
    [
        "DELETE FROM labels WHERE item_id = (SELECT min(item_id) FROM labels)",
        "DELETE FROM extended_votes WHERE lf = 'lf1'",
        "INSERT INTO lf_votes SELECT * FROM lf_votes WHERE lf = 'lf1'",
        "UPDATE label_runs SET run_id = 'another'",
    ],
)
def test_tables_that_someone_else_wrote_are_left_alone(tmp_path, meddling):
    rng = np.random.default_rng(4)
    first = held(next(edits(rng)))
    second = held({name: column(rng, lf) for lf, name in enumerate(first.columns)})
    database, last = database_at(tmp_path / "labels.duckdb", first)
    with database.write() as connection:
        connection.execute(meddling)
    before = {name: table(database, name) for name in ORDERED}
    with pytest.raises(OutOfStepError):
        commit(database, TASK, FACTS, IDS, first.columns, first, second, FLOOR, last)
    for name, rows in before.items():
        assert table(database, name).equals(rows), name


KILLED = """
import os, signal, sys, threading
from pathlib import Path
import duckdb
import numpy as np
from test_commit_again import FACTS, FLOOR, IDS, TASK, edits, held
from epoxy_core.storage import commit as module
from epoxy_core.storage.database import Database

put_run, put_history, history_is_there = module.put_run, module._put_history, threading.Event()

def noted(*arguments):
    put_history(*arguments)
    history_is_there.set()

def killed(*arguments):
    put_run(*arguments)
    if {before!r} and history_is_there.wait(60):
        os.kill(os.getpid(), signal.SIGKILL)

module._put_history, module.put_run = noted, killed
first, second = [held(columns) for columns in edits(np.random.default_rng(5))][:2]
database = Database(Path({path!r}))
made = module.commit(database, TASK, FACTS, IDS, first.columns, first, second, FLOOR, {last!r})
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("before", [True, False])
def test_killed_around_the_commit_the_old_run_or_the_new_one_is_whole(tmp_path, before):
    first, second = [held(columns) for columns in edits(np.random.default_rng(5))][:2]
    database, last = database_at(tmp_path / "labels.duckdb", first)
    old = {name: table(database, name) for name in ORDERED}
    (tmp_path / "test_commit_again.py").symlink_to(__file__)
    script = KILLED.format(path=str(database.path), last=last, before=before)
    places = os.pathsep.join([str(tmp_path), os.getcwd(), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": places}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    if before:
        for name, rows in old.items():
            assert table(database, name).equals(rows), name
    else:
        cold, _ = database_at(tmp_path / "cold.duckdb", first)
        write_cold(cold, second)
        same_tables(database, cold)
