import json

import numpy as np
import pytest

from benchmarks.quality.__main__ import main
from benchmarks.quality.data import load_texts
from benchmarks.quality.frames import load_frames
from benchmarks.quality.sets import find_sets
from benchmarks.quality.trec import FINE_CLASSES
from epoxy_core.errors import EpoxyError


def row(text="a text", label=0, votes=(0, -1), **data):
    return {"data": {"text": text, **data}, "label": label, "weak_labels": list(votes)}


def write(folder, train=None, valid=None, test=None, classes=("no", "yes")):
    folder.mkdir(exist_ok=True)
    content = {"train": train, "valid": valid, "test": test}
    for split, rows in content.items():
        (folder / f"{split}.json").write_text(json.dumps(rows or {"0": row(split)}))
    (folder / "label.json").write_text(json.dumps(dict(enumerate(classes))))
    return folder


def test_splits_follow_one_another(tmp_path):
    train = {"b": row("one", 1, (1, -1)), "a": row("two", 0, (-1, -1))}
    found = load_texts(write(tmp_path / "tiny", train, valid={"b": row("three", 1, (0, 1))}))
    assert found.name == "tiny"
    assert found.classes == ("no", "yes")
    assert found.texts == ("one", "two", "three", "test")
    assert found.votes.dtype == np.int8
    assert found.votes.tolist() == [[1, -1], [-1, -1], [0, 1], [0, -1]]
    assert found.gold.tolist() == [1, 0, 1, 0]
    assert found.train.tolist() == [True, True, False, False]
    assert found.valid.tolist() == [False, False, True, False]
    assert found.test.tolist() == [False, False, False, True]
    assert found.covered.tolist() == [True, False, True, True]
    assert found.dev_gold.tolist() == [-1, -1, 1, -1]
    assert found.notes == ()


def test_train_needs_no_gold(tmp_path):
    unlabelled = {"data": {"text": "x"}, "weak_labels": [0, 1]}
    found = load_texts(write(tmp_path, train={"0": unlabelled, "1": row(label=None)}))
    assert found.gold.tolist() == [-1, -1, 0, 0]


def test_votes_that_the_tutorial_drops_are_left_out(tmp_path):
    train = {
        "0": row(votes=(1, 0), tutorial_keeps_votes=True),
        "1": row(votes=(1, 0), tutorial_keeps_votes=False),
        "2": row(votes=(1, 0)),
    }
    found = load_texts(write(tmp_path, train))
    assert found.votes[:3].tolist() == [[1, 0], [-1, -1], [1, 0]]
    assert found.notes == ("votes of 1 rows left out (`tutorial_keeps_votes` is false)",)


def test_fine_class_is_cut_from_test_texts(tmp_path):
    test = {"0": row("dist How far ?"), "1": row("def What is it ?")}
    write(tmp_path, train={"0": row("how far ?")}, test=test)
    found = load_texts(tmp_path)
    assert found.texts[-2:] == ("How far ?", "What is it ?")
    assert "which was cut" in found.notes[0]
    left = load_texts(tmp_path, as_delivered=True)
    assert left.texts[-2:] == ("dist How far ?", "def What is it ?")
    assert left.notes == ("every test text begins with the name of its fine class",)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("how far ?", ["dist How far ?", "How far ?"]),
        ("how far ?", ["dist How far ?", "def"]),
        ("dist how far ?", ["dist How far ?", "def What ?"]),
    ],
    ids=["not every text", "nothing but the name", "train texts too"],
)
def test_other_texts_keep_their_first_word(tmp_path, train, test):
    write(tmp_path, {"0": row(train)}, test={str(i): row(text) for i, text in enumerate(test)})
    found = load_texts(tmp_path)
    assert list(found.texts[2:]) == test
    assert found.notes == ()


def test_fine_classes_are_those_of_trec():
    assert len(FINE_CLASSES) == 47  # 50, of which `other` is one of four classes


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (row(votes=(0, 2)), "LF 1 votes 2"),
        (row(votes=(0, True)), "LF 1 votes True"),
        (row(votes=(0, 0.0)), "LF 1 votes 0.0"),
        (row(votes=(0,)), "1 votes, 2 in the rows before"),
        ({**row(), "weak_labels": "01"}, "weak_labels is '01'"),
        (row(label=2), "label 2"),
        (row(label=-1), "label -1"),
        (row(label=None), "label None"),
        (row(text=7), "text is 7"),
        ({"data": {}, "label": 0, "weak_labels": [0, 0]}, "lacks 'text'"),
        ({"data": {"text": "x"}, "label": 0}, "lacks 'weak_labels'"),
        ("a text", "lacks"),
    ],
)
def test_bad_row_is_named(tmp_path, bad, says):
    write(tmp_path, valid={"0": row(), "x7": bad})
    with pytest.raises(EpoxyError) as error:
        load_texts(tmp_path)
    assert says in str(error.value)
    assert "valid.json: row 'x7'" in str(error.value)


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("test.json", None, "no such file"),
        ("train.json", "{", "not JSON"),
        ("train.json", "[]", "not an object with rows"),
        ("valid.json", "{}", "not an object with rows"),
        ("label.json", '{"1": "a", "2": "b"}', "classes ['1', '2']"),
        ("label.json", '{"0": "a"}', "classes ['0']"),
    ],
)
def test_bad_file_is_named(tmp_path, file, content, says):
    write(tmp_path)
    (tmp_path / file).unlink() if content is None else (tmp_path / file).write_text(content)
    with pytest.raises(EpoxyError) as error:
        load_texts(tmp_path)
    assert says in str(error.value)
    assert str(tmp_path / file) in str(error.value)


def frames(folder, votes, labelled, gold):
    folder.mkdir()
    for name, values in (("L_train", votes), ("L_dev", labelled), ("Y_dev", gold)):
        np.save(folder / f"{name}_video.npy", np.array(values))
    return folder


def test_frames_become_classes(tmp_path):
    folder = frames(tmp_path / "match", [[-1.0, 0.0, 1.0]], [[1, 1, 0], [0, -1, -1]], [1, -1])
    found = load_frames(folder)
    assert found.name == "match"
    assert found.votes.tolist() == [[0, -1, 1]]
    assert found.labelled.tolist() == [[1, 1, -1], [-1, 0, 0]]
    assert found.gold.tolist() == [1, 0]
    assert {found.votes.dtype, found.labelled.dtype, found.gold.dtype} == {np.dtype(np.int8)}


@pytest.mark.parametrize(
    ("votes", "labelled", "gold", "says"),
    [
        ([[2, 0]], [[1, 1]], [1], "L_train_video.npy: expected votes"),
        ([[1, 0]], [[1, 1]], [0], "Y_dev_video.npy: expected classes"),
        ([1, 0], [[1, 1]], [1], "L_train_video.npy: expected votes"),
        ([[1, 0]], [[1, 1, 1]], [1], "do not match"),
        ([[1, 0]], [[1, 1]], [1, 1], "do not match"),
    ],
)
def test_bad_frames_are_named(tmp_path, votes, labelled, gold, says):
    with pytest.raises(EpoxyError, match=says):
        load_frames(frames(tmp_path / "match", votes, labelled, gold))


def test_sets_below_a_folder_by_name_then_the_further_ones(tmp_path):
    data = tmp_path / "data"
    for name in ("z", "a"):
        (data / name).mkdir(parents=True)
        write(data / name)
    frames(data / "m", [[1]], [[1]], [1])
    (data / "notes").mkdir()
    further = write(tmp_path / "b")
    found = find_sets(data, [further])
    assert found == [data / "a", data / "m", data / "z", further]


def test_a_folder_without_sets_is_an_error(tmp_path):
    with pytest.raises(EpoxyError, match="no benchmark sets"):
        find_sets(tmp_path, [])
    with pytest.raises(EpoxyError, match="no such folder"):
        find_sets(tmp_path / "absent", [])
    with pytest.raises(EpoxyError, match="not a benchmark set"):
        find_sets(None, [tmp_path])


def test_without_data_the_command_says_what_a_set_is(tmp_path, capsys):
    output = tmp_path / "quality.md"
    assert main(["--peers", "python", "--output", str(output)]) == 1
    assert "{id: {data: {text}, label, weak_labels}}" in capsys.readouterr().err
    assert not output.exists()
