import sys
import textwrap

import pytest

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import keywords, load_labeling_functions

TOP = "from epoxy_core.labeling import *\n"


def names(task) -> list[str]:
    return [lf.name for lf in load_labeling_functions(task)]


def test_all_forms_in_order_of_definition(make_task) -> None:
    python = TOP + textwrap.dedent("""
        import polars as pl
        from shared import imported

        @labeling_function
        def b(x): return 1

        a = keywords("a", "spam", ["a"])
        more = [length("d", 0, max=3), regex("c", 0, "c")]
        by_key = {"e": length("e", 0, max=3)}
        again = a

        @expression_labeling_function(vote=1)
        def f(): return pl.col("text") == ""
    """)
    shared = TOP + "imported = length('imported', 0, max=1)\nunused = length('unused', 0, max=1)\n"
    yaml = {"name": "y", "type": "length", "vote": "ham", "max": 3}
    task = make_task(python, yaml, shared_py=shared)
    assert names(task) == ["imported", "b", "a", "d", "c", "e", "f", "y"]
    for lf in load_labeling_functions(task):
        assert lf.folder == task.folder
        assert len(lf.code_version) == 32


def test_an_edited_helper_is_seen_at_once(make_task) -> None:
    python = TOP + "import helpers\n@labeling_function\ndef f(x): return helpers.VOTE\n"
    for vote in (0, 1, 0):  # same size, same second: nothing may be cached
        lf = load_labeling_functions(make_task(python, helpers_py=f"VOTE = {vote}\n"))[0]
        assert lf(None) == vote


def test_tasks_do_not_share_helpers_and_leave_no_trace(make_task) -> None:
    python = TOP + "from helpers import vote\n@labeling_function\ndef f(x): return vote()\n"
    before, path = set(sys.modules), list(sys.path)
    one = load_labeling_functions(make_task(python, helpers_py="def vote(): return 0", folder="a"))
    two = load_labeling_functions(make_task(python, helpers_py="def vote(): return 1", folder="b"))
    assert (one[0](None), two[0](None)) == (0, 1)
    assert sys.path == path
    new = {name for name in set(sys.modules) - before if "helpers" in name or "labeling_f" in name}
    assert all(name.startswith("_epoxy_task_") for name in new)
    assert not list(one[0].folder.rglob("*.pyc"))


def test_imports_of_every_kind(make_task) -> None:
    python = TOP + textwrap.dedent("""
        import os.path
        import pkg.deep
        import pkg.deep as renamed
        from pkg import deep, TOP as top
        from . import flat
        from .flat import FLAT
        from plain.inner import INNER

        @labeling_function
        def f(x):
            from pkg.deep import DEEP
            import late
            assert renamed is deep is pkg.deep and flat.FLAT == FLAT == 1 and top == "top"
            return (DEEP, INNER, late.LATE, os.path.sep)
    """)
    task = make_task(
        python,
        pkg_in___init___py="TOP = 'top'\nfrom .deep import DEEP\n",
        pkg_in_deep_py="from ..flat import FLAT\nfrom dataclasses import dataclass\nDEEP = 2\n",
        flat_py="FLAT = 1\n",
        plain_in_inner_py="INNER = 3\n",
        late_py="LATE = 4\n",
    )
    assert load_labeling_functions(task)[0](None) == (2, 3, 4, "/")


def test_helpers_with_string_annotated_dataclasses_and_cycles(make_task) -> None:
    task = make_task(
        TOP + "from one import A\n@labeling_function\ndef f(x): return A(1).n\n",
        one_py="from __future__ import annotations\nfrom dataclasses import dataclass\nimport two\n"
        "@dataclass\nclass A:\n    n: int\n",
        two_py="import one\n",
    )
    assert load_labeling_functions(task)[0](None) == 1


@pytest.mark.parametrize(
    ("python", "problem", "where"),
    [
        ("x = 1\ndef f(:\n", "syntax error", "labeling_functions.py:3"),
        ("import os\n\n1 / 0\n", "ZeroDivisionError while.*division", "labeling_functions.py:4"),
        ("import helpers\n", "KeyError.*'gone'", "helpers.py:2"),
        ("import broken\n", "syntax error", "broken.py:1"),
        ("import no_such_module_here\n", "ModuleNotFoundError", "labeling_functions.py:2"),
        ("raise SystemExit(1)\n", "SystemExit", "labeling_functions.py:2"),
        ("keywords('k', 'spam', [])\n", "no keyword", "labeling_functions.py:2"),
        ("a = length('a', 0, max=1)\nb = length('a', 0, max=2)\n", "two .* named 'a'", ".py:2 and"),
        ("@labeling_function\ndef f(x): 1\n" * 2, "two .* named 'f'", ".py:2 and"),
        ("length('a', 0, max=1)\n", "not kept at module level", "labeling_functions.py:2"),
        ("a = length('a', 'spma', max=1)\n", "votes 'spma'", "labeling_functions.py:2"),
        ("a = length('a', 7, max=1)\n", "votes 7", "labeling_functions.py:2"),
        ("a = keywords('a', 1, file='gone.txt')\n", "cannot be read", "labeling_functions.py:2"),
        ("@labeling_function(files='gone')\ndef f(x): 1\n", "cannot be read", "functions.py:2"),
        ("x = 1\n", "no labeling function", "task"),
    ],
)
def test_errors_say_where(make_task, python, problem, where) -> None:
    task = make_task(TOP + python, helpers_py="x = {}\nx['gone']\n", broken_py="def\n")
    with pytest.raises(EpoxyError, match=problem) as caught:
        load_labeling_functions(task)
    assert where in caught.value.where
    assert caught.value.remedy


def test_the_same_name_in_python_and_yaml(make_task) -> None:
    task = make_task(
        TOP + "a = length('a', 0, max=1)\n", {"name": "a", "type": "length", "vote": 0, "max": 1}
    )
    with pytest.raises(EpoxyError, match="two labeling functions") as caught:
        load_labeling_functions(task)
    assert "labeling_functions.py:2" in caught.value.where
    assert "task.yaml:" in caught.value.where


def test_missing_file(make_task) -> None:
    task = make_task(TOP)
    (task.folder / "labeling_functions.py").unlink()
    with pytest.raises(EpoxyError, match="does not exist"):
        load_labeling_functions(task)


def test_a_file_is_not_needed_beside_yaml_heuristics(make_task) -> None:
    task = make_task("", {"name": "a", "type": "length", "vote": 0, "max": 1})
    (task.folder / "labeling_functions.py").unlink()
    assert names(task) == ["a"]


def test_a_failed_load_leaves_later_definitions_alone(make_task) -> None:
    with pytest.raises(EpoxyError):
        load_labeling_functions(make_task("1 / 0\n"))
    assert keywords("k", 1, ["a"]).name == "k"
    good = make_task(TOP + "a = length('a', 0, max=1)\n")
    assert names(good) == ["a"]


def test_keyboard_interrupt_passes(make_task) -> None:
    with pytest.raises(KeyboardInterrupt):
        load_labeling_functions(make_task("raise KeyboardInterrupt\n"))
