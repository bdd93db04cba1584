import os
import shutil

import pytest

from epoxy_core.embed import clip_fingerprint, resolve_clip
from epoxy_core.embed.clip_models import ClipModel
from epoxy_core.errors import EpoxyError


@pytest.fixture
def weights(tmp_path):
    file = tmp_path / "models" / "clip.safetensors"
    file.parent.mkdir()
    file.write_bytes(b"weights")
    return file


def test_what_settings_mean(tmp_path, weights, tiny_clip):
    packaged = ClipModel("packaged", "clip-vit-b-16-image")
    assert resolve_clip(None) == resolve_clip("clip-vit-b-16-image") == packaged
    tag = resolve_clip("ViT-B/16-quickgelu", "openai", tmp_path)
    assert tag == ClipModel("tag", "ViT-B-16-quickgelu", "openai")
    assert tag.title == "ViT-B-16-quickgelu (openai)"
    file = resolve_clip("ViT-B-16", "models/clip.safetensors", tmp_path)
    assert file == ClipModel("file", "ViT-B-16", str(weights))
    assert file.title == "ViT-B-16 (clip.safetensors)"
    hub = resolve_clip("hf-hub:laion/CLIP-ViT-B-32")
    assert hub == ClipModel("hub", "laion/CLIP-ViT-B-32")
    assert hub.open_clip_name == "hf-hub:laion/CLIP-ViT-B-32"
    folder = tiny_clip()
    for name in (str(folder), f"local-dir:{folder}", folder.name):
        found = resolve_clip(name, base=folder.parent)
        assert found == ClipModel("folder", str(folder))


@pytest.mark.parametrize(
    ("model", "checkpoint", "problem", "advice"),
    [
        ("vit-b-16-quickgel", "openai", "no architecture", "ViT-B-16-quickgelu"),
        ("resnet", "openai", "no architecture 'resnet'", "list_models"),
        ("ViT-B-16", None, "without weights", "openai"),
        ("ViT-B-16", "absent.pt", r"absent\.pt: no such file", "checkpoint"),
        ("ViT-B-16", "models/absent", "no such file", "relative to the task"),
        (None, "clip.pt", "brings its own weights", "ViT-B-16-quickgelu"),
        ("hf-hub:laion/clip", "openai", "brings its own weights", "Remove"),
        ("./models", None, "no open_clip model there", "open_clip_config|checkpoint"),
        ("local-dir:nowhere", None, "no open_clip model there", "checkpoint"),
    ],
)
def test_what_does_not_exist(model, checkpoint, problem, advice, tmp_path):
    (tmp_path / "models").mkdir()
    with pytest.raises(EpoxyError, match=problem) as caught:
        resolve_clip(model, checkpoint, tmp_path)
    caught.match(advice)


def test_fingerprint_of_local_weights_is_their_content(tmp_path, weights):
    cache = tmp_path / "cache"

    def fingerprint(file):
        return clip_fingerprint(resolve_clip("ViT-B-16", str(file)), cache)

    first = fingerprint(weights)
    assert first.startswith("open_clip:ViT-B-16:")
    moved = tmp_path / "moved.pt"
    shutil.copy(weights, moved)
    assert fingerprint(moved) == first
    status = moved.stat()
    moved.write_bytes(b"weighty")
    os.utime(moved, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert fingerprint(moved) != first
    assert fingerprint(weights) == first
    gone = resolve_clip("ViT-B-16", str(moved))
    moved.unlink()
    with pytest.raises(EpoxyError, match=r"moved\.pt: the checkpoint cannot be read"):
        clip_fingerprint(gone, cache)


def test_fingerprints_differ(tmp_path, tiny_clip):
    settings = [
        (None, None),
        ("ViT-B-16", "openai"),
        ("ViT-B-16", "laion2b_s34b_b88k"),
        ("ViT-B-32", "openai"),
        ("hf-hub:laion/clip", None),
        (str(tiny_clip()), None),
        (str(tiny_clip(seed=1)), None),
    ]
    found = {clip_fingerprint(resolve_clip(*each), tmp_path) for each in settings}
    assert len(found) == len(settings)
