"""The code location: its assets, how it loads, what it needs."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from support import edit

from epoxy_core.errors import EpoxyError
from epoxy_core.home import Home
from epoxy_core.task import load_task
from pipelines.definitions import build, build_all
from pipelines.graph import job_name

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "sentence_transformers", "open_clip", "lancedb", "sklearn", "matplotlib", "numba")


def graph_of(folder, tmp_path):
    return build([load_task(folder)], Home(tmp_path)).resolve_asset_graph()


def test_the_asset_graph(template, tmp_path):
    graph = graph_of(template, tmp_path)
    lineage = {
        "/".join(key.path[1:]): sorted("/".join(p.path[1:]) for p in graph.get(key).parent_keys)
        for key in graph.get_all_asset_keys()
    }
    lfs = ("number", "question", "short", "words")
    assert lineage == {
        "source": [],
        "items": ["source"],
        "dev_labels": ["source"],
        "test_labels": ["source"],
        "embeddings": ["items"],
        "neighbors": ["embeddings"],
        "lexical": ["items"],
        **{f"lf/{lf}": ["items"] for lf in lfs},
        **{f"extended/{lf}": [f"lf/{lf}", "neighbors"] for lf in lfs},
        "label_model": ["dev_labels", *(f"extended/{lf}" for lf in lfs)],
        "lf_summary": ["dev_labels", "label_model", *(f"lf/{lf}" for lf in lfs)],
        "labels": ["label_model"],
        "label_changes": ["labels"],
        "refined_labels": [
            "dev_labels",
            "embeddings",
            "label_model",
            "labels",
            "lexical",
            "neighbors",
        ],
        "training_set": ["dev_labels", "items", "neighbors", "refined_labels"],
        "end_model": ["embeddings", "lexical", "training_set"],
        "evaluation": ["dev_labels", "end_model", "label_model", "test_labels"],
    }


def test_only_the_evaluation_reads_the_test_labels(template, tmp_path):
    graph = graph_of(template, tmp_path)
    readers = graph.get(dg.AssetKey(["messages", "test_labels"])).child_keys
    assert {key.path[-1] for key in readers} == {"evaluation"}
    sources = [p for p in (ROOT / "assets").glob("*.py") if "test_labels" in p.read_text()]
    assert {p.name for p in sources} == {"corpus.py", "evaluation.py"}


def test_every_asset_is_described_versioned_and_grouped(template, tmp_path):
    definitions = build([load_task(template)], Home(tmp_path))
    for node in definitions.resolve_asset_graph().asset_nodes:
        assert node.description, node.key
        assert node.group_name.startswith("messages__")
        assert node.is_external or node.code_version, node.key
    assert definitions.resolve_job_def(job_name(load_task(template)))


def test_thresholds_from_dev_labels_make_them_an_input(template, tmp_path, project):
    folder, _ = project
    text = (folder / "task.yaml").read_text()
    (folder / "task.yaml").write_text(text.replace("neighbors: 8", "threshold: dev"))
    graph = graph_of(folder, tmp_path)
    parents = graph.get(dg.AssetKey(["messages", "extended", "words"])).parent_keys
    assert dg.AssetKey(["messages", "dev_labels"]) in parents


def test_propagated_posteriors_make_the_graph_an_input_of_the_label_model(tmp_path, project):
    folder, _ = project
    edit(folder / "task.yaml", "neighbors: 8", "weighting: propagated")
    parents = graph_of(folder, tmp_path).get(dg.AssetKey(["messages", "label_model"])).parent_keys
    assert dg.AssetKey(["messages", "neighbors"]) in parents


def test_one_setting_changes_the_code_version_of_what_reads_it(template, tmp_path, project):
    folder, _ = project
    text = (folder / "task.yaml").read_text()
    (folder / "task.yaml").write_text(text + "  threshold: {words: 0.8}\n")
    old, new = graph_of(template, tmp_path), graph_of(folder, tmp_path)
    changed = {
        "/".join(key.path[1:])
        for key in old.materializable_asset_keys
        if old.get(key).code_version != new.get(key).code_version
    }
    assert changed == {"extended/words", "label_model"}


@pytest.mark.parametrize(
    ("settings", "there"),
    [
        ("embedding: {lexical_weight: 0.1}", True),
        ("embedding: {lexical_weight: 0}", False),
        ("end_model: null", True),
    ],
)
def test_lexical_vectors_only_where_they_have_a_weight(
    template, tmp_path, project, settings, there
):
    folder, _ = project
    (folder / "task.yaml").write_text(f"{(folder / 'task.yaml').read_text()}{settings}\n")
    old, new = graph_of(template, tmp_path), graph_of(folder, tmp_path)
    lexical = dg.AssetKey(["messages", "lexical"])
    assert (lexical in new.materializable_asset_keys) == there
    for key in (dg.AssetKey(["messages", "embeddings"]), *([lexical] if there else [])):
        assert old.get(key).code_version == new.get(key).code_version


@pytest.mark.parametrize("broken", ["task.yaml", "labeling_functions.py"])
def test_a_broken_task_leaves_the_others_alone(template, project, broken, caplog):
    folder, home = project
    other = folder.parent / "other"
    shutil.copytree(template, other)
    edit(other / "task.yaml", "name: messages", "name: notes")
    (folder / broken).write_text("this: [is neither")
    graph = build_all(folder.parent, home).resolve_asset_graph()
    assert {key.path[0] for key in graph.materializable_asset_keys} == {"notes"}
    sign = graph.get(dg.AssetKey(["messages", "does_not_load"]))
    assert (sign.group_name, sign.is_external) == ("broken", True)
    assert broken in sign.description
    assert broken in caplog.text
    (other / broken).write_text("this: [is neither")
    with pytest.raises(EpoxyError, match=rf"{broken}[\s\S]*{broken}"):
        build_all(folder.parent, home)


def test_no_task_and_two_of_one_name(template, tmp_path):
    home = Home(tmp_path / "home")
    with pytest.raises(EpoxyError, match="epoxy init"):
        build_all(tmp_path, home)
    for name in ("one", "two"):
        shutil.copytree(template, tmp_path / name)
    with pytest.raises(EpoxyError, match="two tasks are named 'messages'"):
        build_all(tmp_path, home)
    edit(tmp_path / "one" / "task.yaml", "name: messages", "name: first")
    names = {
        key.path[0] for key in build_all(tmp_path, home).resolve_asset_graph().get_all_asset_keys()
    }
    assert names == {"first", "messages"}


@pytest.mark.parametrize("module", ["pipelines.definitions", "pipelines.cli"])
def test_loading_imports_nothing_heavy(module):
    code = (
        f"import json, sys; import {module} as m; "
        "m.defs() if hasattr(m, 'defs') else None; "
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []
