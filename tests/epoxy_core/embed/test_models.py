import os
import shutil
import subprocess
import sys
import time

import pytest

from epoxy_core.embed.models import Model, model_fingerprint, resolve_model
from epoxy_core.errors import EpoxyError


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "model"
    (made / "1_Pooling").mkdir(parents=True)
    (made / "modules.json").write_text("[]")
    (made / "1_Pooling" / "config.json").write_text("{}")
    (made / "model.safetensors").write_bytes(b"weights")
    return made


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"])
def test_the_packaged_model_is_a_folder(name):
    found = resolve_model(name)
    assert found.name == "all-MiniLM-L6-v2"
    assert (found.folder / "model.safetensors").is_file()


def test_a_folder_is_itself_and_may_be_relative_to_the_task(folder, tmp_path):
    assert resolve_model(str(folder)).folder == folder
    assert resolve_model("model", base=tmp_path).folder == folder


@pytest.mark.parametrize(
    ("setting", "name", "revision"),
    [
        ("all-mpnet-base-v2", "sentence-transformers/all-mpnet-base-v2", "main"),
        ("BAAI/bge-small-en", "BAAI/bge-small-en", "main"),
        ("BAAI/bge-small-en@abc123", "BAAI/bge-small-en", "abc123"),
    ],
)
def test_other_names_are_hub_names(setting, name, revision, tmp_path):
    found = resolve_model(setting, base=tmp_path)
    assert found == Model(name, None, revision)
    assert model_fingerprint(found) == f"{name}@{revision}"


@pytest.mark.parametrize("setting", ["./nowhere", "/no/such/folder", "a/b/c", "~nobody/x"])
def test_a_path_that_is_not_there(setting, tmp_path):
    with pytest.raises(EpoxyError, match="no such model folder"):
        resolve_model(setting, base=tmp_path)


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(EpoxyError, match=r"no modules\.json"):
        resolve_model(str(tmp_path))


def test_fingerprint_follows_the_content_and_not_the_place(folder, tmp_path):
    cache = tmp_path / "cache"
    first = model_fingerprint(resolve_model(str(folder)), cache)
    copy = shutil.copytree(folder, tmp_path / "copy")
    assert model_fingerprint(resolve_model(str(copy)), cache) == first
    for harmless in ("README.md", "onnx/model.onnx", ".git/HEAD"):
        (copy / harmless).parent.mkdir(exist_ok=True)
        (copy / harmless).write_text("other")
    assert model_fingerprint(resolve_model(str(copy)), cache) == first
    (copy / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    assert model_fingerprint(resolve_model(str(copy)), cache) != first


def test_fingerprint_reads_unchanged_weights_once(folder, tmp_path):
    model, weights = resolve_model(str(folder)), folder / "model.safetensors"
    first = model_fingerprint(model, tmp_path / "cache")
    status = weights.stat()
    weights.write_bytes(b"WEIGHTS")
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert model_fingerprint(model, tmp_path / "cache") == first
    assert model_fingerprint(model, tmp_path / "other cache") != first
    os.utime(weights)
    assert model_fingerprint(model, tmp_path / "cache") != first


def test_fingerprint_survives_a_bad_cache(folder, tmp_path):
    model, cache = resolve_model(str(folder)), tmp_path / "cache"
    first = model_fingerprint(model, cache)
    (entry,) = cache.iterdir()
    for damage in ("", "[1]", '{"files": {}}', "\xff"):
        entry.write_text(damage, encoding="latin-1")
        assert model_fingerprint(model, cache) == first
    assert model_fingerprint(model, folder / "modules.json") == first  # not a folder


def test_definitions_get_the_fingerprint_without_torch(tmp_path):
    script = (
        "import sys\n"
        "from epoxy_core.embed import TextEncoder\n"
        "import epoxy_core.storage.lance, epoxy_core.storage.neighbors\n"
        "assert len(TextEncoder().fingerprint) == 37, TextEncoder().fingerprint\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'lancedb', 'pyarrow'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
    started = time.perf_counter()
    model_fingerprint(resolve_model("all-MiniLM-L6-v2"), tmp_path / "epoxy" / "models")
    assert time.perf_counter() - started < 0.1
