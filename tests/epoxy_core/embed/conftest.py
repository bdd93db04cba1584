"""The packaged model, and tiny models of other kinds."""

import os

import pytest

from epoxy_core.embed import TextEncoder, prepare_torch

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def encoder():
    return TextEncoder()


@pytest.fixture(scope="session")
def texts():
    """Short and long, plain and odd."""
    words = [
        "the",
        "prize",
        "match",
        "meeting",
        "tonight",
        "free",
        "call",
        "rain",
        "garden",
        "ticket",
        "claim",
        "money",
        "love",
    ]
    found = [" ".join(words[(i * k) % 13] for k in range(1, 2 + i % 40)) for i in range(150)]
    return [*found, "", "ünïcödé 日本語 🙂", "word " * 600, found[3]]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Build and save a two-layer BERT with other modules behind it; cached per kind."""
    prepare_torch()
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import (
        Dense,
        Normalize,
        Pooling,
        Transformer,
    )
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(0)
    bare = tmp_path_factory.mktemp("bare")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnop", "broken"]
    (bare / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizerFast(vocab=str(bare / "vocab.txt"), model_max_length=32).save_pretrained(bare)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
    )
    bert = BertModel(config)
    bert.embeddings.word_embeddings.weight.data[vocabulary.index("broken")] = float("nan")
    bert.save_pretrained(bare)

    def build(pooling, *, dense=False, normalize=False, prompt=None):
        modules = [Transformer(str(bare)), Pooling(32, pooling)]
        modules += [Dense(32, 8)] if dense else []
        modules += [Normalize()] if normalize else []
        model = SentenceTransformer(
            modules=modules,
            prompts={"query": prompt} if prompt else None,
            default_prompt_name="query" if prompt else None,
            device="cpu",
        )
        folder = tmp_path_factory.mktemp("tiny")
        model.save(str(folder))
        return folder

    return build
