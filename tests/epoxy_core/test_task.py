"""task.yaml: what is accepted, and what the user reads when it is not."""

import pytest

from epoxy_core.errors import EpoxyError
from epoxy_core.task import discover, load_task

MINIMAL = """\
name: reviews
source:
  paths: reviews.csv
classes: [bad, good]
"""


def write(folder, text):
    folder.mkdir(exist_ok=True)
    (folder / "task.yaml").write_text(text)
    return folder


def test_minimal_task_has_defaults(tmp_path):
    task = load_task(write(tmp_path / "t", MINIMAL))
    assert task.source.paths == ["reviews.csv"]
    assert task.embedding.model is None
    assert task.extension.threshold == "auto"
    assert task.folder == (tmp_path / "t").resolve()
    assert task.n_classes == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MINIMAL.replace("name: reviews", "name: My Reviews"), ":1: name:"),
        (MINIMAL.replace("classes:", "clases:"), ":4: clases: no such setting"),
        (MINIMAL.replace("classes: [bad, good]", ""), "classes: Field required"),
        (MINIMAL.replace("[bad, good]", "[bad]"), ":4: classes:"),
        (MINIMAL.replace("[bad, good]", "[yes, no]"), "put class names in quotes"),
        (
            MINIMAL.replace("[bad, good]", str([f"c{i}" for i in range(64)])),
            ":4: classes: 64, and at most 63 are possible",
        ),
        (MINIMAL.replace("[bad, good]", "[bad, bad]"), "'bad' is there twice"),
        (MINIMAL + "extension: {neighbors: 0}\n", ":5: extension.neighbors:"),
        (MINIMAL + "extension: {threshold: 3}\n", "extension.threshold"),
        (MINIMAL + "extension: {threshold: dev}\n", "'dev' needs dev labels"),
        (
            MINIMAL + "extension: {borrow_from: same_sequence}\n",
            "extension.borrow_from: 'same_sequence' needs items in sequences, and "
            "label_model.sequence names none",
        ),
        (MINIMAL + "extension: {borrow_from: nobody}\n", ":5: extension.borrow_from:"),
        (MINIMAL + "label_model: {class_balance: [0.5]}\n", "1 shares for 2 classes"),
        (MINIMAL + "label_model: {class_balance: [0.5, 0.9]}\n", "sum to 1"),
        (MINIMAL + "label_model: {method: snorkel}\n", ":5: label_model.method:"),
        (MINIMAL + "labels: {column: y, file: z.csv}\n", "exactly one of"),
        (MINIMAL + "labels: {column: y, dev: 0.7, test: 0.7}\n", "more than 1"),
        (MINIMAL + "embedding: {batch_size: lots}\n", "(found 'lots')"),
        ("name: [", "not valid YAML"),
        ("just text", "a task is a mapping"),
        ("", "a task is a mapping"),
    ],
)
def test_a_bad_setting_is_named_with_its_line(tmp_path, text, expected):
    folder = write(tmp_path / "t", text)
    with pytest.raises(EpoxyError) as found:
        load_task(folder)
    assert expected in str(found.value)
    assert str(folder / "task.yaml") in str(found.value)


def test_every_problem_is_listed_at_once(tmp_path):
    text = MINIMAL.replace("name: reviews", "name: 7") + "nonsense: 1\nembedding: {bad: 1}\n"
    with pytest.raises(EpoxyError) as found:
        load_task(write(tmp_path / "t", text))
    assert str(found.value).count("task.yaml:") == 3


def test_discover_finds_folders_with_a_task(tmp_path):
    write(tmp_path / "b", MINIMAL)
    write(tmp_path / "a", MINIMAL)
    (tmp_path / "neither").mkdir()
    assert [folder.name for folder in discover(tmp_path)] == ["a", "b"]
    assert discover(tmp_path / "a") == [tmp_path / "a"]
    with pytest.raises(EpoxyError, match="EPOXY_TASKS"):
        discover(tmp_path / "absent")
