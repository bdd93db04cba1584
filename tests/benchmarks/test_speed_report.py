import json
from dataclasses import asdict

import pytest

from benchmarks.speed.contest import Record
from benchmarks.speed.report import growth, report

ABOUT = {"machine": "2 cores", "versions": "Python 3", "threads": 2, "data": "all embedded"}


def write(results, items, stage, *records):
    folder = results / str(items)
    folder.mkdir(parents=True, exist_ok=True)
    stored = {"about": ABOUT, "records": [asdict(record) for record in records]}
    (folder / f"{stage}.json").write_text(json.dumps(stored))


def rows(text, start):
    return [
        [cell.strip(" *") for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|") and start in line
    ]


def test_growth():
    assert growth({10: 3.0, 1000: 300.0}) == pytest.approx(1)
    assert growth({10: 1.0, 100: 100.0, 1000: 10_000.0}) == pytest.approx(2)
    assert growth({10: 1.0}) is None
    assert growth({10: 1.0, 100: 0.0}) is None


def test_a_peer_is_compared_with_ours_at_its_recall(tmp_path):
    def engine(name, seconds, recall, ours=True, used=None):
        figures = {"recall": recall, "engine": used}
        return Record(name, ours, 2, seconds, seconds, seconds, figures=figures)

    write(
        tmp_path,
        10_000,
        "graph",
        engine("ours, exact", 8.0, 1.0, used="float32"),
        engine("ours, rough", 2.0, 0.97, used="int8"),
        engine("other, exact", 12.0, 0.9999, ours=False),
        engine("other, rough", 6.0, 0.9, ours=False),
        Record("absent", False, 2, problem="No module named 'absent'"),
    )
    ceilings = [Record("int8, torch", True, 2, 1.0, figures={"gflops": 1000.0})]
    write(tmp_path, 10_000, "ceiling", *ceilings)
    text = report(tmp_path)
    assert rows(text, "other, exact")[0][7] == "1.50"
    assert rows(text, "other, rough")[0][7] == "3.00"
    assert rows(text, "ours, rough")[0][7] == "–"
    assert rows(text, "ours, rough")[0][8:10] == ["int8, 38", "0.04 (0.02)"]
    assert rows(text, "ours, exact")[0][8:10] == ["float32, 10", "–"]
    assert "Not measured, 10,000: absent: No module named 'absent'" in text
    assert not rows(text, "growth")


def test_sizes_measured_apart_are_in_one_report(tmp_path):
    for items, seconds in ((10_000, 0.1), (100_000, 2.0)):
        ours = Record("ours, chosen by itself", True, 2, seconds, seconds, seconds)
        peer = Record("peer", False, 1, 4 * seconds, 5 * seconds, seconds)
        write(tmp_path, items, "label_models", ours, peer)
    text = report(tmp_path)
    assert [row[6] for row in rows(text, "| peer |") if row[0] in ("10,000", "100,000")] == [
        "4.00",
        "4.00",
    ]
    grown = [row for row in rows(text, "| peer |") if row[0] == "peer"]
    assert grown == [["peer", "0.4000", "8.00", "1.30"]]
    assert "10,000, 100,000 items: 2 cores; 2 threads used; Python 3. Data: all embedded." in text


def test_extension_is_compared_with_the_same_of_ours(tmp_path):
    write(
        tmp_path,
        10_000,
        "extension",
        Record("ours, all LFs", True, 2, 0.5, 0.5, 0.5),
        Record("ours, all LFs, threshold 0.6", True, 2, 1.0, 1.0, 1.0),
        Record("published (faiss), all LFs, threshold 0.6", False, 2, 30.0, 30.0, 30.0),
    )
    assert rows(report(tmp_path), "published (faiss)")[0][6] == "30.00"


def test_medians_of_rounds_and_memory_of_steps(tmp_path):
    rounds = {"refresh": [0.1, 0.2, 0.9], "record": [1.0, 1.0, 4.0], "votes": [None, 0.1, 0.2]}
    write(tmp_path, 10_000, "relabel", Record("warm, x", True, 2, 7.0, figures={"rounds": rounds}))
    steps = [{"step": "neighbors", "seconds": 3.0, "own": 100.0, "files": None}]
    figures = {"steps": steps, "disk": {"labels.duckdb": 2**20}}
    write(tmp_path, 10_000, "pipeline", Record("run", True, 2, 9.0, own=120.0, figures=figures))
    text = report(tmp_path)
    assert rows(text, "warm, x")[0][2:] == ["3", "0.200 (0.900)", "1.000 (4.000)", "0.150 (0.200)"]
    assert rows(text, "neighbors")[0] == ["neighbors", "3.00", "100", "–"]
    assert rows(text, "labels.duckdb")[0] == ["labels.duckdb", "1.0"]


def test_a_report_of_nothing_is_empty(tmp_path):
    assert "##" not in report(tmp_path)


def test_a_stage_that_failed_is_named(tmp_path):
    stages = ("ceiling", "graph", "votes", "label_models", "extension", "relabel", "pipeline")
    for stage in stages:
        write(tmp_path, 10_000, stage, Record("the stage", True, 2, problem=f"no {stage}"))
    text = report(tmp_path)
    assert all(f"Not measured, 10,000: the stage: no {stage}" in text for stage in stages)
