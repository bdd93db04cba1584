import os
import subprocess
import sys

import numpy as np
import pytest

from epoxy_core.embed import TextEncoder, resolve_model
from epoxy_core.errors import EpoxyError


@pytest.fixture(scope="session")
def reference(texts, encoder):
    """Float32 vectors straight from sentence-transformers."""
    from epoxy_core.embed import prepare_torch

    prepare_torch()
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(encoder.model.folder), device="cpu", local_files_only=True)
    return model.encode(texts)


@pytest.mark.parametrize(
    ("precision", "cosine"), [("float32", 0.999999), ("bfloat16", 0.999), ("auto", 0.999)]
)
def test_same_vectors_as_sentence_transformers(precision, cosine, texts, reference):
    vectors = TextEncoder(precision=precision).encode(texts)
    assert vectors.shape == (len(texts), 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors * reference).sum(axis=1).min() >= cosine


def test_batches_do_not_change_vectors(encoder, texts):
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts[:20]])
    assert (together[:20] * alone).sum(axis=1).min() > 0.9999
    assert together[3] @ together[-1] > 0.9999  # the same text twice


def test_chunks_hold_every_text_once(encoder, texts):
    many = texts[:30] * 40
    chunks = list(encoder.encode_batches(many))
    rows = np.concatenate([rows for rows, _ in chunks])
    np.testing.assert_array_equal(np.sort(rows), np.arange(len(many)))
    assert [len(rows) >= 1024 for rows, _ in chunks] == [True, False]
    vectors = np.empty((len(many), encoder.dimension), dtype=np.float32)
    for positions, block in chunks:
        vectors[positions] = block
    np.testing.assert_allclose(vectors, encoder.encode(many), atol=1e-6)


def test_nothing_to_embed(encoder):
    assert encoder.encode([]).shape == (0, 384)
    assert list(encoder.encode_batches([])) == []


def test_progress_reaches_the_end(encoder, texts):
    seen = []
    encoder.encode(texts, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert len(seen) > 1
    assert seen[-1] == (len(texts), len(texts))


@pytest.mark.parametrize(
    "kind",
    [
        {"pooling": "mean"},
        {"pooling": "cls", "normalize": True},
        {"pooling": "max", "dense": True},
        {"pooling": "lasttoken", "prompt": "a b c "},
    ],
    ids=str,
)
def test_any_sentence_transformers_model(kind, tiny):
    from sentence_transformers import SentenceTransformer

    folder = tiny(**kind)
    letters = [" ".join("abcdefghijklmnop"[: 1 + i % 16]) * (1 + i % 3) for i in range(70)]
    expected = SentenceTransformer(str(folder), device="cpu").encode(
        letters, normalize_embeddings=True
    )
    exact = TextEncoder(str(folder), precision="float32", device="cpu")
    assert exact.dimension == expected.shape[1]
    np.testing.assert_allclose(exact.encode(letters), expected, atol=1e-5)
    reduced = TextEncoder(str(folder), precision="bfloat16", device="cpu").encode(letters)
    assert (reduced * expected).sum(axis=1).mean() > 0.999


def test_a_prompt_counts(tiny):
    plain, prompted = tiny("mean"), tiny("mean", prompt="a b c ")
    vectors = [TextEncoder(str(folder)).encode(["d e f"])[0] for folder in (plain, prompted)]
    assert vectors[0] @ vectors[1] < 0.9999


def test_a_model_without_a_transformers_tokenizer(encoder, tmp_path, texts):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(encoder.model.folder / "tokenizer.json"))
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=16)])
    model.save(str(tmp_path))
    some = [text for text in texts if text.isascii() and text]
    expected = model.encode(some, normalize_embeddings=True)
    np.testing.assert_allclose(
        TextEncoder(str(tmp_path), precision="float32").encode(some), expected, atol=1e-5
    )


def test_a_vector_that_is_not_finite_names_the_text(tiny):
    encoder = TextEncoder(str(tiny("mean")))
    with pytest.raises(EpoxyError, match=r"(?s)text 2: .*'a broken b'.*float32"):
        encoder.encode(["a b c d e f", "a", "a broken b", "c d"])


def test_a_damaged_model_folder(tiny):
    folder = tiny("mean")
    (folder / "model.safetensors").write_bytes(b"junk")
    with pytest.raises(EpoxyError, match="cannot be loaded"):
        TextEncoder(str(folder)).encode(["a"])


def test_in_a_fresh_process_a_folder_needs_no_network_and_a_missing_hub_is_explained():
    folder = resolve_model("all-MiniLM-L6-v2").folder
    script = (
        "import socket\n"
        "def refuse(*args, **kwargs): raise OSError('asked the network')\n"
        "asked = []\n"
        "def resolve(*args, **kwargs): asked.append(args); refuse()\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = resolve\n"
        "from epoxy_core.embed import TextEncoder, prepare_torch\n"
        "from epoxy_core.errors import EpoxyError\n"
        "prepare_torch(); prepare_torch()\n"
        "import torchvision, torch\n"
        "assert torch.ops.torchvision.nms\n"
        f"assert TextEncoder({str(folder)!r}).encode(['text']).shape == (1, 384)\n"
        "assert not asked\n"
        "try: TextEncoder('nobody/nothing').encode(['text'])\n"
        "except EpoxyError as error: assert 'Give a folder' in str(error), error\n"
        "else: raise AssertionError\n"
        "assert 1 <= len(asked) <= 2, asked\n"  # no retries file by file
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        environment.pop(variable, None)
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
