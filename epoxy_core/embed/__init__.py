"""Embeddings: where models come from, texts to unit vectors, only what is new; lexical vectors."""

from epoxy_core.embed.hybrid import joined
from epoxy_core.embed.incremental import embed_missing
from epoxy_core.embed.lexical import LexicalVectors
from epoxy_core.embed.models import (
    DEFAULT_MODEL,
    Model,
    cache_folder,
    model_fingerprint,
    resolve_model,
)
from epoxy_core.embed.runtime import default_device, prepare_torch, resolve_precision
from epoxy_core.embed.text import TextEncoder

__all__ = [
    "DEFAULT_MODEL",
    "LexicalVectors",
    "Model",
    "TextEncoder",
    "cache_folder",
    "default_device",
    "embed_missing",
    "joined",
    "model_fingerprint",
    "prepare_torch",
    "resolve_model",
    "resolve_precision",
]
