import hashlib
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from epoxy_core.embed import embed_missing
from epoxy_core.errors import EpoxyError
from epoxy_core.storage.lance import EmbeddingStore


def contents(first, last):
    return [f"message number {i}" for i in range(first, last)]


def hashed(texts):
    return [hashlib.blake2b(text.encode(), digest_size=16).hexdigest() for text in texts]


def test_only_what_is_new(encoder, tmp_path):
    store = EmbeddingStore(tmp_path, encoder.fingerprint)
    old, seen = contents(0, 300), []
    embedded = embed_missing(encoder, store, hashed(old), old, lambda *at: seen.append(at))
    assert embedded == 300
    assert seen == [(0, 300), (300, 300)]
    assert embed_missing(encoder, store, hashed(old), old) == 0
    both = contents(100, 400)
    assert embed_missing(encoder, store, hashed(both), both) == 100
    stored = store.load(hashed(both))
    assert (stored * encoder.encode(both)).sum(axis=1).min() > 0.9999


def test_a_repeated_content_is_embedded_once(encoder, tmp_path):
    store = EmbeddingStore(tmp_path, encoder.fingerprint)
    texts = ["twice", "once", "twice"]
    assert embed_missing(encoder, store, hashed(texts), texts) == 2
    vectors = store.load(hashed(texts))
    np.testing.assert_array_equal(vectors[0], vectors[2])


def test_hashes_and_contents_belong_together(encoder, tmp_path):
    with pytest.raises(EpoxyError, match="2 content hashes for 1 contents"):
        embed_missing(encoder, EmbeddingStore(tmp_path, "x"), ["a", "b"], ["text"])


SCRIPT = """
import sys
from pathlib import Path
from epoxy_core.embed import TextEncoder, embed_missing
from epoxy_core.storage.lance import EmbeddingStore
import hashlib

texts = [f"message number {i}" for i in range(1500)]
hashes = [hashlib.blake2b(text.encode(), digest_size=16).hexdigest() for text in texts]
encoder = TextEncoder()
store = EmbeddingStore(Path(sys.argv[1]), encoder.fingerprint)
embed_missing(encoder, store, hashes, texts, lambda *at: print(*at, flush=True))
"""


def test_a_killed_run_continues_where_it_was(encoder, tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as run:
        for line in run.stdout:
            if int(line.split()[0]) > 0:
                run.send_signal(signal.SIGKILL)
                break
    assert run.returncode == -signal.SIGKILL
    texts = contents(0, 1500)
    store = EmbeddingStore(tmp_path, encoder.fingerprint)
    left = len(store.missing(hashed(texts)))
    assert 0 < left < 1500
    assert embed_missing(encoder, store, hashed(texts), texts) == left
    assert store.missing(hashed(texts)) == []
    vectors = store.load(hashed(texts))
    some = slice(None, None, 15)
    assert (vectors[some] * encoder.encode(texts[some])).sum(axis=1).min() > 0.9999
