"""Digests of files, remembered."""

import hashlib
import os

import pytest

from epoxy_core.file_digests import cache_folder, remembered_digests


@pytest.fixture
def files(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(name.encode() * 1000)
    return {name: tmp_path / name for name in ("a", "b")}


def test_digests_are_of_the_content(files, tmp_path):
    found = remembered_digests(files, tmp_path / "cache" / "known.json")
    assert found == {
        name: hashlib.blake2b(name.encode() * 1000, digest_size=16).hexdigest() for name in files
    }
    assert list(found) == ["a", "b"]


def test_only_what_changed_is_read_again(files, tmp_path):
    known = tmp_path / "known.json"
    before = remembered_digests(files, known)
    for name in files:
        status = files[name].stat()
        files[name].write_bytes(b"x" * 1000)
        os.utime(files[name], ns=(status.st_atime_ns, status.st_mtime_ns))
    assert remembered_digests(files, known) == before
    os.utime(files["a"])
    after = remembered_digests(files, known)
    assert after["a"] != before["a"]
    assert after["b"] == before["b"]


@pytest.mark.parametrize(
    "damage", [b"", b"[1]", b"\xff", b'{"a": 1}', b'{"a": [1]}', b'{"a": [null, 1, 2, 3]}']
)
def test_a_damaged_memory_costs_time_only(files, tmp_path, damage):
    known = tmp_path / "known.json"
    before = remembered_digests(files, known)
    known.write_bytes(damage)
    assert remembered_digests(files, known) == before
    assert remembered_digests(files, tmp_path) == before  # a folder: nothing can be remembered


def test_what_was_read_before_an_interruption_is_not_read_again(files, tmp_path, monkeypatch):
    known = tmp_path / "known.json"
    monkeypatch.setattr("epoxy_core.file_digests._SAVED_EVERY", 1000)
    with pytest.raises(FileNotFoundError):
        remembered_digests({**files, "c": tmp_path / "gone"}, known)
    monkeypatch.setattr("epoxy_core.file_digests._digest", None)
    assert list(remembered_digests(files, known)) == ["a", "b"]


def test_the_cache_folder_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "epoxy"
