import hashlib
import os

import numpy as np
import pytest
import yaml

from epoxy_core.end_model import (
    LinearHead,
    MLPHead,
    ModelCard,
    Scaling,
    card_path,
    load_head,
    make_head,
)
from epoxy_core.errors import EpoxyError

CARD = ModelCard(
    task="messages",
    description="Spam among messages.",
    encoder_name="all-MiniLM-L6-v2",
    weak_labels=1234,
    gold_labels=50,
    label_source="dawid_skene, cut statistic 0.8",
    label_run="20260101-abc",
    scores={"dev": {"accuracy": 0.912345, "macro_f1": 0.9}, "test": {"accuracy": 0.9}},
    notes=["Not for calls."],
)


def trained(kind="linear", **settings):
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(60, 6)).astype(np.float32)
    head = make_head(kind, 3, **settings).fit(vectors, (vectors[:, 0] > 0).astype(int))
    return head, vectors


def front_matter(text):
    _, matter, body = text.split("---\n", 2)
    return yaml.safe_load(matter), body


@pytest.mark.parametrize(
    ("kind", "settings"),
    [("linear", {"l2": 0.5, "labels": "soft"}), ("mlp", {"hidden": 4, "max_steps": 3, "seed": 2})],
)
def test_any_head_comes_back_as_it_was(tmp_path, kind, settings):
    head, vectors = trained(kind, **settings)
    head.scaling_ = Scaling(0.5, (0.1, -0.1, 0.0))
    path = tmp_path / "head.safetensors"
    head.save(path, classes=["a", "b", "c"], encoder="abc")
    loaded, classes = load_head(path, encoder="abc")
    assert type(loaded) is {"linear": LinearHead, "mlp": MLPHead}[kind]
    assert classes == ["a", "b", "c"]
    assert loaded.settings() == head.settings()
    assert loaded.scaling_ == head.scaling_
    np.testing.assert_array_equal(loaded.predict_proba(vectors), head.predict_proba(vectors))
    other = {"linear": MLPHead, "mlp": LinearHead}[kind]
    with pytest.raises(EpoxyError, match=f"a head of kind {kind}, not {other.kind}"):
        other.load(path)
    with pytest.raises(EpoxyError, match="embeddings of abc, not of xyz"):
        load_head(path, encoder="xyz")


def test_the_card_says_what_the_file_is(tmp_path):
    path = tmp_path / "end_model.safetensors"
    head, _ = trained()
    head.scaling_ = Scaling(0.5)
    classes = ["no", "yes | or: `so`", "später\nmehr"]
    head.save(path, classes=classes, encoder="abc", card=CARD)
    text = card_path(path).read_text(encoding="utf-8")
    front, body = front_matter(text)
    assert front["pipeline_tag"] == "text-classification"
    about = front["epoxy"]
    assert about["classes"] == classes
    assert about["encoder"] == {"name": "all-MiniLM-L6-v2", "fingerprint": "abc"}
    assert about["head"] == {"kind": "linear", "l2": 1.0, "labels": "hard", "temperature": 0.5}
    assert about["training_labels"] == {"weak": 1234, "gold": 50}
    assert about["label_run"] == "20260101-abc"
    assert about["file"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    results = front["model-index"][0]["results"]
    assert [r["dataset"]["split"] for r in results] == ["dev", "test"]
    assert results[0]["metrics"][0] == {"type": "accuracy", "value": 0.912345}
    assert "| dev | 0.9123 | 0.9 |" in body
    assert "| test | 0.9 |  |" in body
    assert "1,234 items labelled by heuristics and 50 items labelled by hand" in body
    assert "`` yes | or: `so` ``" in body
    assert "`später mehr`" in body
    assert body.rstrip().endswith("```")
    assert "Not for calls." in body


def test_a_card_needs_nothing(tmp_path):
    path = tmp_path / "end_model.safetensors"
    trained()[0].save(path, classes=["a", "b", "c"], encoder="abc")
    front, body = front_matter(card_path(path).read_text(encoding="utf-8"))
    assert "model-index" not in front
    assert "## Scores" not in body
    assert "## Training labels" not in body


def test_both_files_or_neither(tmp_path):
    path = tmp_path / "end_model.safetensors"
    head, _ = trained()
    head.save(path, classes=["a", "b", "c"], encoder="first")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert sorted(before) == ["end_model.md", "end_model.safetensors"]

    path.unlink()
    path.mkdir()  # so that the second of the two cannot be swapped in
    (path / "content").touch()
    with pytest.raises(EpoxyError, match="cannot be written"):
        trained(l2=9.0)[0].save(path, classes=["a", "b", "c"], encoder="second")
    assert sorted(os.listdir(tmp_path)) == ["end_model.md", "end_model.safetensors"]
    assert card_path(path).read_bytes() == before["end_model.md"]

    with pytest.raises(EpoxyError, match="cannot be written"):
        head.save(tmp_path / "absent" / "x.safetensors", classes=["a", "b", "c"], encoder="e")


def test_there_are_two_kinds():
    with pytest.raises(EpoxyError, match="no end model 'forest'") as caught:
        make_head("forest", 2)
    assert "linear, mlp" in caught.value.remedy
