"""Labeling functions on embeddings, from the task's files to its tables."""

import shutil

import pytest
from support import FOLLOWING, bring_up_to_date, edit, epoxy, ran, tables

from assets.keys import key, lf_key
from epoxy_core.home import Home
from epoxy_core.storage.database import Database
from epoxy_core.task import load_task
from pipelines.definitions import build
from pipelines.instance import open_instance
from pipelines.watch import Watch

FUNCTIONS, SETTINGS = "labeling_functions.py", "task.yaml"
ON_VECTORS = """

from epoxy_core.labeling import similar, vector_labeling_function

like_these = similar("like_these", "spam", items=["m80000000", "m80004004"], at_least=0.6)


@vector_labeling_function(vote="ham")
def like_a_question(vectors, items):
    asks = items["text"].str.ends_with("?").to_numpy()
    return vectors @ vectors[asks].mean(axis=0) > 0.4
"""
IN_YAML = """\
labeling_functions:
  heuristics:
    - {name: zero_shot, type: prompts, vote: spam, prompts: [you won a prize], against: [see you]}
"""
NAMES = {"like_these", "like_a_question", "zero_shot"}
VOTES = {f"lf/{name}" for name in NAMES}


@pytest.fixture(scope="module")
def _run(template, tmp_path_factory):
    root = tmp_path_factory.mktemp("on_vectors")
    folder = root / "messages"
    shutil.copytree(template, folder)
    with (folder / FUNCTIONS).open("a") as file:
        file.write(ON_VECTORS)
    edit(folder / SETTINGS, "extension:", f"{IN_YAML}extension:")
    done = bring_up_to_date(folder, Home(root / "home"))
    assert not done.failures, done.failures
    return root


@pytest.fixture
def task(_run, tmp_path):
    """The folder of a task with vector labeling functions that was just run, and its home."""
    for name in ("messages", "home"):
        shutil.copytree(_run / name, tmp_path / name)
    (tmp_path / "home" / "dagster" / "dagster.yaml").unlink()  # it names the original's storage
    return tmp_path / "messages", Home(tmp_path / "home")


def test_only_they_depend_on_the_embeddings_and_they_vote(task):
    folder, home = task
    loaded = load_task(folder)
    graph = build([loaded], home).resolve_asset_graph()
    items, embeddings = key(loaded, "items"), key(loaded, "embeddings")
    for name in ("words", "question", "number", "short"):
        assert graph.get(lf_key(loaded, name)).parent_keys == {items}
    for name in NAMES:
        assert graph.get(lf_key(loaded, name)).parent_keys == {items, embeddings}
    right = dict(
        Database(home.database("messages"))
        .query(
            "SELECT lf, avg((vote = label)::INT) FROM lf_votes JOIN dev_labels USING (item_id)"
            " GROUP BY lf"
        )
        .iter_rows()
    )
    assert all(right[name] > 0.6 for name in NAMES), right
    assert ran(bring_up_to_date(folder, home)) == set()


@pytest.mark.parametrize(
    ("file", "old", "new", "votes", "more"),
    [
        (FUNCTIONS, "at_least=0.6", "at_least=0.9", {"lf/like_these"}, {"extended/like_these"}),
        (SETTINGS, "[see you]", "[mum is here]", {"lf/zero_shot"}, {"extended/zero_shot"}),
        (
            FUNCTIONS,
            'SPAM_WORDS = ["free"',
            'SPAM_WORDS = ["won"',
            {"lf/words"},
            {"extended/words"},
        ),
        (FUNCTIONS, '["m80000000", "m80004004"]', '["m80004004", "m80000000"]', set(), set()),
        (
            SETTINGS,
            "extension:",
            "embedding: {precision: float32}\nextension:",
            VOTES,
            {"embeddings", "neighbors"},
        ),
    ],
    ids=["examples", "prompts", "plain", "order", "encoder"],
)
def test_an_edit_runs_what_depends_on_it(task, file, old, new, votes, more):
    folder, home = task
    edit(folder / file, old, new)
    done = bring_up_to_date(folder, home)
    assert not done.failures
    assert {name for name in ran(done) if name.startswith("lf/")} == votes
    assert more <= ran(done)
    if not more:
        assert not ran(done) - FOLLOWING
    elif "embeddings" not in more:
        assert ran(done) - FOLLOWING == votes | more


def test_what_fails_is_named_and_the_others_votes_are_there(task, tmp_path):
    folder, _ = task
    home = Home(tmp_path / "elsewhere")
    edit(folder / FUNCTIONS, '"m80000000"', '"m1", "m80000000"')
    edit(folder / FUNCTIONS, "vectors @ vectors[asks].mean(axis=0)", "vectors @ items")
    done = bring_up_to_date(folder, home)
    (failure,) = done.failures
    assert "like_these fails on 160 of 160 items: 1 of the 3 example items do not exist: 'm1'" in (
        failure
    )
    assert "like_a_question fails on 160" in failure
    assert f"{folder / FUNCTIONS}:" in failure
    there = {"lf/zero_shot", "lf/words", "lf/short", "embeddings", "neighbors"}
    assert there <= ran(done)
    assert not ran(done) & {"lf/like_these", "lf/like_a_question", "label_model"}
    edit(folder / FUNCTIONS, '"m1", ', "")
    edit(folder / FUNCTIONS, "vectors @ items", "vectors @ vectors[asks].mean(axis=0)")
    done = bring_up_to_date(folder, home)
    assert not done.failures
    assert {"lf/like_these", "lf/like_a_question"} <= ran(done)
    assert not ran(done) & there


def test_images_need_an_encoder_that_sees(task):
    folder, home = task
    from PIL import Image

    Image.new("RGB", (8, 8)).save(folder / "like.png")
    edit(folder / FUNCTIONS, 'items=["m80000000", "m80004004"]', 'images=["like.png"]')
    (failure,) = bring_up_to_date(folder, home).failures
    assert "like_these fails on 160 of 160 items: the encoder" in failure
    assert "reads texts, and is given images" in failure


def test_the_warm_session_encodes_a_prompt_once_and_ends_where_a_cold_run_does(task, tmp_path):
    folder, home = task
    shutil.copytree(home.root, tmp_path / "cold")
    (tmp_path / "cold" / "dagster" / "dagster.yaml").unlink(missing_ok=True)
    with open_instance(home) as instance:
        watch = Watch(instance, folder, home)
        edit(folder / FUNCTIONS, "at_least=0.6", "at_least=0.8")
        update = watch.refresh().update
        assert (update.voted, update.changed) == (("like_these",), ("like_these",))
        edit(folder / SETTINGS, "[see you]", "[see you, mum is here]")
        assert watch.refresh().update.voted == ("zero_shot",)
        assert set(watch.session.space._known) == {"you won a prize", "see you", "mum is here"}
        edit(folder / FUNCTIONS, '"m80000000"', '"m1"')
        assert "'m1'" in watch.refresh().update.refused["like_these"]
        edit(folder / FUNCTIONS, '"m1"', '"m80000000"')
        assert not watch.refresh().update.refused
        watch.finish()
        assert not watch.pending
    warm = tables(folder, home)
    assert ran(bring_up_to_date(folder, home)) == set()
    assert not bring_up_to_date(folder, Home(tmp_path / "cold")).failures
    cold = tables(folder, Home(tmp_path / "cold"))
    assert all(warm[name].equals(cold[name]) for name in warm)


def test_check_looks_at_examples_and_embeds_nothing(task, tmp_path, monkeypatch, capsys):
    folder, _ = task
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EPOXY_HOME", str(tmp_path / "fresh"))
    code, printed = epoxy(capsys, "check", folder)
    assert code == 0, printed
    assert "on embeddings, which the first run makes: like_these, like_a_question, zero" in printed
    assert not Home(tmp_path / "fresh").lance("messages").exists()
    edit(folder / FUNCTIONS, '"m80000000"', '"m1"')
    code, printed = epoxy(capsys, "check", folder)
    assert code != 0
    assert "'like_these': 1 of the 2 example items do not exist: 'm1'" in printed
    assert f"{FUNCTIONS}:" in printed
