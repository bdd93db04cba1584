"""Embeddings: where models come from, texts and frames to unit vectors, only what is new."""

from epoxy_core.embed.clip import ClipEncoder
from epoxy_core.embed.clip_models import ClipModel, clip_fingerprint, resolve_clip
from epoxy_core.embed.frames import FrameContent
from epoxy_core.embed.hybrid import joined
from epoxy_core.embed.incremental import embed_missing
from epoxy_core.embed.lexical import LexicalVectors
from epoxy_core.embed.models import DEFAULT_MODEL, Model, model_fingerprint, resolve_model
from epoxy_core.embed.runtime import default_device, prepare_torch, resolve_precision
from epoxy_core.embed.text import TextEncoder

__all__ = [
    "DEFAULT_MODEL",
    "ClipEncoder",
    "ClipModel",
    "FrameContent",
    "LexicalVectors",
    "Model",
    "TextEncoder",
    "clip_fingerprint",
    "default_device",
    "embed_missing",
    "joined",
    "model_fingerprint",
    "prepare_torch",
    "resolve_clip",
    "resolve_model",
    "resolve_precision",
]
