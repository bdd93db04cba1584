"""What an edit does to the code version: each kind changes it, or does not."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import LabelingFunction, fingerprint, load_labeling_functions

REPOSITORY = Path(__file__).parents[3]

PYTHON = '''
import enum
import functools
import re
from dataclasses import dataclass
from pathlib import Path

import helpers
import polars as pl
from helpers import imported, Matcher
from epoxy_core.labeling import *

WORDS = {"free", "win", "cash"}
ORDERED = ["free", "win"]
TABLE = {"free": 1, "mum": {"deep": (0, None)}}
NUMBER, TEXT, BYTES, REAL = 7, "seven", b"seven", 7.5
FROZEN = frozenset({("a", 1), ("b", 2)})
PATTERN = re.compile("free|win", re.I)
HERE = Path(__file__).parent / "words.txt"
CONTENT = HERE.read_text().split()
UNUSED = 1


class Color(enum.Enum):
    RED = 1
    BLUE = 2


@dataclass(frozen=True)
class Rule:
    word: str
    weight: float = 1.0

    def hit(self, text):
        return self.word in text and self.weight > bound()


RULE = Rule("free")
CHOSEN = Color.RED


def bound():
    return NUMBER - 6.5


def even(n):
    return n == 0 or odd(n - 1)


def odd(n):
    return n != 0 and even(n - 1)


def deep(text):
    def inner(part):
        return [word for word in part.split() if word in WORDS]

    return inner(text)


def at_most(limit):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(x):
            return function(x) if len(x.text) <= limit else None

        return wrapper

    return decorate


@functools.cache
def cached(text):
    return text + TEXT


def starts(prefix, text):
    return text.startswith(prefix)


starts_free = functools.partial(starts, "free")
shorter = lambda a: len(a) < 10; longer = lambda a: len(a) > 10
bound_method = RULE.hit
search = PATTERN.search


@labeling_function
def body(x):
    """A docstring."""
    return 1 if "free" in x.text else -1  # a comment


@labeling_function
def annotated(x: object) -> int:
    vote: int = 1
    return vote


@labeling_function
def data(x):
    if WORDS & FROZEN or TABLE or REAL or BYTES or PATTERN.search(x.text) or CHOSEN is Color.RED:
        return ORDERED.index(x.text)


@labeling_function
def calls(x):
    return even(3) or deep(x.text) or cached(x.text) or RULE.hit(x.text)


@labeling_function
def partials(x):
    return starts_free(x.text) and shorter(x.text) and bound_method(x.text) and search(x.text)


@labeling_function
def other_files(x):
    return imported(x.text) or helpers.used(x.text) or Matcher(1).match(x.text)


@labeling_function
def late(x):
    from helpers import used_late
    import lazy

    return used_late() or lazy.VALUE


@labeling_function
@at_most(limit=20)
def decorated(x, word="free", *, n=1):
    return 1


@labeling_function(files="words.txt")
def reads(x):
    return x.text in HERE.read_text()


@labeling_function
def loaded(x):
    return x.text in CONTENT


@expression_labeling_function(vote="spam")
def expression():
    return pl.col("text").str.len_chars() > NUMBER


def made(word):
    def vote(x):
        return 1 if word in x.text else None

    return labeling_function(name=f"made_{word}")(vote)


lfs = [made("a"), made("b")]
words = keywords("words", "spam", ["win", "free"], at_least=1)
terms = lookup("terms", file="terms.csv")
pattern = regex("pattern", 1, "a+")
'''
HELPERS = """
import helpers as me
import unversioned_leaf
LIMIT = 3


def imported(text):
    return len(text) > LIMIT


def used(text):
    return me.imported(text) or unversioned_leaf.LEAF


def used_late():
    return 1


def unused():
    return LIMIT


class Base:
    scale = 2

    def match(self, text):
        return self.n * self.scale == len(text)


class Matcher(Base):
    seen = 0

    def __init__(self, n):
        super().__init__()
        self.n = n
"""
FILES = {
    "labeling_functions.py": PYTHON,
    "helpers.py": HELPERS,
    "unversioned_leaf.py": "LEAF = 1\nOTHER = 1\n",
    "lazy.py": "VALUE = 1\nUNREAD = 2\n",
    "words.txt": "free win\n",
    "terms.csv": "term,label\nfree,spam\n",
}

Versions = dict[str, str]


def versions(task) -> Versions:
    return {lf.name: lf.code_version for lf in load_labeling_functions(task)}


@pytest.fixture
def task(make_task):
    """The task of the table of edits."""
    made = make_task(PYTHON)
    for name, text in FILES.items():
        (made.folder / name).write_text(text)
    return made


LF, HELP = "labeling_functions.py", "helpers.py"
NOTHING: set[str] = set()

EDITS = [
    # of form
    (LF, "# a comment", "# another", NOTHING),
    (LF, '"""A docstring."""', '"""Another."""', NOTHING),
    (LF, '"""A docstring."""\n    ', "", NOTHING),
    (LF, 'return 1 if "free" in x.text', "return (1) if 'free' in \\\n        x.text", NOTHING),
    (LF, "annotated(x: object) -> int", "annotated(x)", NOTHING),
    (LF, "vote: int = 1", "vote = 1", NOTHING),
    (LF, "import enum", "import enum\n\n\nimport math\n", NOTHING),
    (LF, "UNUSED = 1", "UNUSED = object()", NOTHING),
    (LF, "def bound():\n", "def bound():\n    # why\n\n", NOTHING),
    (LF, '{"free", "win", "cash"}', '{"cash", "win", "free", "win"}', NOTHING),
    (LF, '["win", "free"], at_least=1', '["free", "win", "free"]', NOTHING),
    (LF, "NUMBER - 6.5", "(NUMBER) - 6.50", NOTHING),
    (LF, "made(word)", "made(word: str)", NOTHING),
    (HELP, "def unused():\n    return LIMIT", "def unused():\n    return 5", NOTHING),
    (HELP, "LIMIT = 3", "LIMIT = 1 + 2", NOTHING),
    ("lazy.py", "UNREAD = 2", "UNREAD = 3", NOTHING),
    ("unversioned_leaf.py", "OTHER = 1", "OTHER = 2", NOTHING),
    # of content
    (LF, '"free" in x.text else -1', '"free" in x.text else 0', {"body"}),
    (LF, "vote: int = 1", "vote: int = 0", {"annotated"}),
    (LF, '{"free", "win", "cash"}', '{"free", "win"}', {"data", "calls"}),
    (LF, '["free", "win"]\n', '["win", "free"]\n', {"data"}),
    (LF, '"mum": {"deep": (0, None)}', '"mum": {"deep": (1, None)}', {"data"}),
    (LF, 'TABLE = {"free": 1, ', 'TABLE = {"free": 1.0, ', {"data"}),
    (LF, 'b"seven"', 'b"eight"', {"data"}),
    (LF, "7.5", "7.25", {"data"}),
    (LF, '("b", 2)', '("b", 3)', {"data"}),
    (LF, '"free|win", re.I', '"free|win"', {"data", "partials"}),
    (LF, "RED = 1", "RED = 3", {"data"}),
    (LF, "CHOSEN = Color.RED", "CHOSEN = Color.BLUE", {"data"}),
    (LF, "TEXT, BYTES, REAL = 7,", "TEXT, BYTES, REAL = 8,", {"calls", "partials", "expression"}),
    (LF, '"seven", b', '"eight", b', {"calls"}),
    (LF, 'RULE = Rule("free")', 'RULE = Rule("win")', {"calls", "partials"}),
    (LF, "weight: float = 1.0", "weight: float = 2.0", {"calls", "partials"}),
    (LF, "self.weight > bound()", "self.weight >= bound()", {"calls", "partials"}),
    (LF, "@dataclass(frozen=True)", "@dataclass", {"calls", "partials"}),
    (LF, "n != 0 and", "n > 0 and", {"calls"}),
    (LF, "n == 0 or", "n < 1 or", {"calls"}),
    (LF, "if word in WORDS]", "if word not in WORDS]", {"calls"}),
    (LF, "return text + TEXT", "return TEXT + text", {"calls"}),
    (LF, "text.startswith(prefix)", "text.endswith(prefix)", {"partials"}),
    (LF, 'partial(starts, "free")', 'partial(starts, "win")', {"partials"}),
    (LF, "len(a) < 10", "len(a) < 11", {"partials"}),
    (LF, "len(a) > 10", "len(a) > 11", NOTHING),
    (LF, "bound_method = RULE.hit", 'bound_method = Rule("win").hit', {"partials"}),
    (LF, "search = PATTERN.search", "search = PATTERN.match", {"partials"}),
    (LF, "at_most(limit=20)", "at_most(limit=21)", {"decorated"}),
    (LF, "<= limit else", "< limit else", {"decorated"}),
    (LF, 'word="free", *', 'word="win", *', {"decorated"}),
    (LF, "*, n=1", "*, n=2", {"decorated"}),
    (LF, 'vote="spam"', 'vote="ham"', {"expression"}),
    (LF, 'vote="spam"', "vote=1", NOTHING),
    (LF, 'made("b")]', 'made("b"), made("c")]', {"made_c"}),
    (LF, "1 if word in x.text", "0 if word in x.text", {"made_a", "made_b"}),
    (LF, 'keywords("words", "spam"', 'keywords("words", "ham"', {"words"}),
    (LF, '["win", "free"]', '["win", "frees"]', {"words"}),
    (LF, '"a+"', '"a*"', {"pattern"}),
    (LF, "def even(n):", "def len(n):\n    return 3\n\n\ndef even(n):", {"partials", "decorated"}),
    (HELP, "LIMIT = 3", "LIMIT = 4", {"other_files"}),
    (HELP, "len(text) > LIMIT", "len(text) >= LIMIT", {"other_files"}),
    (HELP, "me.imported(text) or", "not me.imported(text) or", {"other_files"}),
    (HELP, "scale = 2", "scale = 3", {"other_files"}),
    (HELP, "== len(text)", "!= len(text)", {"other_files"}),
    (HELP, "seen = 0", "seen = 1", {"other_files"}),
    (HELP, "def used_late():\n    return 1", "def used_late():\n    return 0", {"late"}),
    ("lazy.py", "VALUE = 1", "VALUE = 2", {"late"}),
    ("unversioned_leaf.py", "LEAF = 1", "LEAF = 2", {"other_files"}),
    ("words.txt", "free win", "free won", {"reads", "loaded"}),
    ("words.txt", "free win", "free  win", {"reads"}),
    ("terms.csv", "free,spam", "free,ham", {"terms"}),
]


@pytest.mark.parametrize(("file", "old", "new", "expected"), EDITS)
def test_edits(task, file: str, old: str, new: str, expected: set[str]) -> None:
    before = versions(task)
    path = task.folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    after = versions(task)
    changed = {name for name in after if before.get(name) != after[name]}
    assert changed == expected
    path.write_text(text)
    assert versions(task) == before


def test_all_differ(task) -> None:
    found = versions(task)
    assert len(set(found.values())) == len(found) == 16


SCRIPT = """
import json, sys
from pathlib import Path
from epoxy_core.labeling import load_labeling_functions
from epoxy_core.task import load_task
lfs = load_labeling_functions(load_task(Path(sys.argv[1])))
print(json.dumps({lf.name: lf.code_version for lf in lfs}))
"""


def test_same_in_every_process_and_place(task, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "moved"
    shutil.copytree(task.folder, moved)
    for folder, seed in ((task.folder, "1"), (moved, "2")):
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(folder)],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(run.stdout) == versions(task)


def test_calls_do_not_change_it(task) -> None:
    """Caches that a call fills are not content."""
    task_lfs = {lf.name: lf for lf in load_labeling_functions(task)}
    before = {name: lf.code_version for name, lf in task_lfs.items()}
    task_lfs["calls"].function.__globals__["cached"]("text")
    assert fingerprint(task_lfs["calls"], task.classes) == before["calls"]


def test_order_and_number_of_classes_count(task) -> None:
    lf = load_labeling_functions(task)[0]
    orders = [["ham", "spam"], ["spam", "ham"], ["ham", "spam", "x"]]
    assert len({fingerprint(lf, classes) for classes in orders}) == 3


VALUES = [
    "None", "True", "1", "1.0", "'1'", "b'1'", "(1,)", "[1]", "{1}", "frozenset({1})", "{1: 1}",
    "{1: 2, 3: 4}", "{3: 4, 1: 2}", "[[1], 2]", "[[1, 2]]", "('a', 'b')", "('ab',)", "range(3)",
    "slice(3)", "1j", "...", "re.compile('a')", "re.compile(b'a')", "Path('a')", "Decimal('1')",
    "datetime.date(2020, 1, 1)", "OrderedDict(a=1)", "Counter('a')", "defaultdict(list)",
    "deque([1])", "Point(1, 2)", "Point(2, 1)", "SimpleNamespace(a=1)", "np.arange(3)",
    "np.arange(3.0)", "np.int8(1)", "pl.DataFrame({'a': [1]})", "pl.DataFrame({'a': [2]})",
    "pl.col('a') > 1", "pl.col('a') > 2", "len", "str.lower", "'a'.join", "'b'.join", "int", "np",
    "np.log", "np.exp", "math.floor", "itemgetter(1)", "itemgetter(2)", "logging.getLogger('a')",
    "lambda x: 1", "lambda x: 2", "object()", "Words({'a', 'b'})", "Words({'a', 'c'})", "LOOP",
    "types.MappingProxyType({1: 3})", "Plain(1)", "Plain({1, 2})", "bytearray(b'1')",
]  # fmt: skip
VALUE_FILE = """
import datetime, logging, math, re, types
from collections import *
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from types import SimpleNamespace
import numpy as np
import polars as pl
from epoxy_core.labeling import *
Point = namedtuple("Point", "a b")
class Words(set): pass
class Plain:
    def __init__(self, value): self.value = value
LOOP = [1]
LOOP.append(LOOP)
"""


def value_file() -> str:
    """One labeling function per value, with the same text."""
    parts = [VALUE_FILE]
    for number, value in enumerate(VALUES):
        parts.append(f"def make_{number}():\n    VALUE = {value}\n")
        parts.append(f"    return labeling_function(name='v{number}')(lambda x: VALUE)\n")
        parts.append(f"v{number} = make_{number}()\n")
    return "".join(parts)


def test_values_of_every_type_differ_and_are_stable(make_task) -> None:
    task = make_task(value_file())
    found = versions(task)
    for (a, one), (b, two) in itertools.combinations(zip(VALUES, found.values(), strict=True), 2):
        assert one != two, (a, b)
    assert versions(task) == found
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(task.folder)],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(run.stdout) == found


@pytest.mark.parametrize("value", ["threading.Lock()", "open(__file__)", "(n for n in 'ab')"])
def test_what_has_no_content_is_refused_with_the_way_to_it(make_task, value: str) -> None:
    python = (
        "import threading\nfrom epoxy_core.labeling import *\n"
        f"MODEL = {{'m': {value}}}\ndef score(x): return MODEL\n"
        "@labeling_function\ndef f(x): return score(x)\n"
    )
    with pytest.raises(EpoxyError, match=r"'f' reads score → MODEL, a .*run") as caught:
        load_labeling_functions(make_task(python))
    assert "labeling_functions.py:5" in caught.value.where
    assert "functools.cache" in caught.value.remedy


def test_the_remedy_works(make_task) -> None:
    python = (
        "import functools, threading\nfrom epoxy_core.labeling import *\n"
        "@functools.cache\ndef model(): return threading.Lock(), 1\n"
        "@labeling_function\ndef f(x): return model()[1]\n"
    )
    before = versions(make_task(python))["f"]
    assert versions(make_task(python.replace("(), 1", "(), 2")))["f"] != before


def test_version_of_other_libraries_counts(make_task, tmp_path: Path, monkeypatch) -> None:
    library = tmp_path / "site" / "sample_library"
    info = tmp_path / "site" / "sample_library-1.0.dist-info"
    library.mkdir(parents=True)
    info.mkdir()
    (library / "__init__.py").write_text("def score(x): return 1\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    task = make_task(
        "from sample_library import score\nfrom epoxy_core.labeling import *\n"
        "@labeling_function\ndef f(x): return score(x)\n"
    )
    found = []
    for version in ("1.0", "1.0", "1.1"):
        (info / "METADATA").write_text(f"Name: sample_library\nVersion: {version}\n")
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(task.folder)],
            env=os.environ | {"PYTHONPATH": f"{REPOSITORY}{os.pathsep}{tmp_path / 'site'}"},
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(json.loads(run.stdout)["f"])
    assert found[0] == found[1] != found[2]


def test_large_constants_shared_by_many_are_read_once(make_task) -> None:
    lines = ["from epoxy_core.labeling import *", "WORDS = [str(n) for n in range(100_000)]"]
    for number in range(60):
        lines += ["@labeling_function", f"def f{number}(x): return {number} if WORDS else 1"]
    task = make_task("\n".join(lines))
    lfs: list[LabelingFunction] = load_labeling_functions(task)
    assert len({lf.code_version for lf in lfs}) == 60


def test_chains_of_helpers_take_linear_time(make_task) -> None:
    """Two helpers a layer, each calling both of the next: 2^40 paths, 80 functions."""
    lines = ["from epoxy_core.labeling import *"]
    for layer in range(40):
        call = f"a{layer + 1}() + b{layer + 1}()" if layer < 39 else "1"
        lines += [f"def {side}{layer}(): return {call}" for side in "ab"]
    lines += ["@labeling_function", "def f(x): return a0()"]
    assert len(versions(make_task("\n".join(lines)))["f"]) == 32


TOP = (
    "import functools, abc, typing, contextlib\nfrom epoxy_core.labeling import *\nimport helpers\n"
)
LF_OF = "\n@labeling_function\ndef f(x): return {}\n"
FORMS = {
    "singledispatch": (
        "@functools.singledispatch\ndef g(v): return 0\n@g.register\ndef _(v: str): return 1\n",
        "g(x.text)",
        "return 1",
    ),
    "abstract class": (
        "class A(abc.ABC):\n    @abc.abstractmethod\n    def g(self): ...\n"
        "class B(A):\n    def g(self): return 1\n",
        "B().g()",
        "return 1",
    ),
    "typed tuple": ("class P(typing.NamedTuple):\n    a: int = 1\n", "P().a", "= 1"),
    "typed tuple instance": (
        "class P(typing.NamedTuple):\n    a: int = 0\nQ = P(1)\n", "Q.a", "P(1)"
    ),
    "class made by a call": ("import enum\nE = enum.Enum('E', {'a': 1})\n", "E.a.value", "1}"),
    "property": (
        "class A:\n    @property\n    def b(self): return 1\nC = A()\n", "C.b", "return 1"
    ),
    "classmethod": ("class A:\n    @classmethod\n    def b(cls): return 1\n", "A.b()", "return 1"),
    "cached method": (
        "class A:\n    @functools.cached_property\n    def b(self): return 1\nC = A()\n",
        "C.b",
        "return 1",
    ),
    "class attribute from a call": ("class A:\n    b = [int('1')]\n", "A.b", "'1'"),
    "global in a base class": (
        "N = 1\nclass A:\n    def b(self): return N\nclass B(A): pass\n", "B().b()", "N = 1"
    ),
    "instance of a class with state": (
        "class A:\n    def __init__(self, w): self.w = w\nC = A({'a': [1]})\n", "C.w", "[1]"
    ),
    "slots": (
        "class A:\n    __slots__ = ('w',)\n    def __init__(self): self.w = 1\nC = A()\n",
        "C.w",
        "= 1",
    ),
    "callable instance": (
        "class A:\n    def __call__(self): return 1\nc = A()\n", "c()", "return 1"
    ),
    "library wrapper": (
        "@contextlib.contextmanager\ndef g():\n    yield 1\n", "g().__enter__()", "yield 1"
    ),
    "module by name": ("", "getattr(helpers, 'N')", "helper"),
    "module in a variable": ("H = [helpers]\n", "H[0].N", "helper"),
    "star import": ("from helpers import *\n", "N", "helper"),
    "local alias": ("def g():\n    import helpers as h\n    return h.N\n", "g()", "helper"),
    "local from": ("def g():\n    from helpers import N as M\n    return M\n", "g()", "helper"),
    "local class": ("def g():\n    class A:\n        b = 1\n    return A.b\n", "g()", "b = 1"),
    "closure class": (
        "def g():\n    class A:\n        b = 1\n    def h(): return A.b\n    return h\nh = g()\n",
        "h()",
        "b = 1",
    ),
    "match": (
        "class A: pass\nN = 1\ndef g(v):\n    match v:\n        case A(): return N\n",
        "g(x)",
        "N = 1",
    ),
    "walrus and lambda": ("N = 1\n", "(lambda v: (w := v) or N)(x)", "N = 1"),
    "comprehension": ("N = 1\n", "[N for _ in x]", "N = 1"),
    "f-string": ("N = 1\n", "f'{x.text}{N:>3}'", "N = 1"),
    "generated method": (
        "import dataclasses\n@dataclasses.dataclass\nclass A:\n    b: int = 1\n", "A().b", "= 1"
    ),
    "another labeling function": (
        "@labeling_function\ndef g(x): return 1\n", "g(x)", "return 1"
    ),
    "text that holds the folder": (
        "import os\nN = os.path.join(os.path.dirname(__file__), 'a1')\n", "N", "a1"
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_code(make_task, form: str) -> None:
    """Edited content counts, a comment or a moved folder does not."""
    setup, result, old = FORMS[form]
    body, helper = LF_OF.format(result), "N = 1\n"
    first = versions(make_task(TOP + setup + body, helpers_py=helper))["f"]
    commented = TOP + "# why\n\n" + setup + "# how" + body
    assert versions(make_task(commented, helpers_py=f"# why\n{helper}", folder="b"))["f"] == first
    if old == "helper":
        helper = "N = 2\n"
    else:
        assert old in setup
        setup = setup.replace(old, old.replace("1", "2"))
    assert versions(make_task(TOP + setup + body, helpers_py=helper))["f"] != first


VOTES = """
import polars as pl
from epoxy_core.labeling import *

AGAINST = Not("ham")
SURE = Soft("spam", 0.9)


@labeling_function
def by_name(x):
    return AGAINST if x.text else SURE


@labeling_function
def in_place(x):
    return Soft(Not("ham"), 0.9)


@expression_labeling_function(vote=Not("ham"), probability=0.9)
def column():
    return pl.col("text") == "a"


words = keywords("words", vote="spam", words=["a"])
"""


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ('AGAINST = Not("ham")', 'AGAINST = Not("spam")', {"by_name"}),
        ('SURE = Soft("spam", 0.9)', 'SURE = Soft("spam", 0.8)', {"by_name"}),
        ('Soft(Not("ham"), 0.9)', 'Soft(Not("ham"), 0.95)', {"in_place"}),
        ('Soft(Not("ham"), 0.9)', 'Not("ham")', {"in_place"}),
        ("vote=Not", "vote=str", {"column"}),
        ("probability=0.9", "probability=0.8", {"column"}),
        (", probability=0.9", "", {"column"}),
        ('words=["a"]', 'words=["a"], probability=0.9', {"words"}),
        ('words=["a"]', 'words=["a"], probability=1', set()),
        ('vote="spam"', 'vote=Not("ham")', set()),  # of two classes
        ('vote="spam"', 'vote=Not("spam")', {"words"}),
    ],
)
def test_votes_against_a_class_and_probabilities_count(make_task, old, new, changed) -> None:
    assert old in VOTES
    before = {lf.name: lf.code_version for lf in load_labeling_functions(make_task(VOTES))}
    edited = load_labeling_functions(make_task(VOTES.replace(old, new)))
    assert {lf.name for lf in edited if lf.code_version != before[lf.name]} == changed
