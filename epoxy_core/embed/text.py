"""Texts to unit vectors, through any sentence-transformers model."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from epoxy_core.embed.load import load_sentence_transformer
from epoxy_core.embed.models import DEFAULT_MODEL, model_fingerprint, resolve_model
from epoxy_core.embed.runtime import Precision, default_device, resolve_precision
from epoxy_core.errors import EpoxyError

Block = tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]

CHUNK_ROWS = 1024

# A batch is as many padded tokens as `batch_size` texts of this length have. A CPU is fastest
# with one or two thousand tokens (benchmarks/results/embedding.md); a GPU wants far more.
_TOKENS_PER_TEXT = {"cpu": 32, "cuda": 512}
_CHARACTERS_PER_TOKEN = 4
_TOKENIZED_AT_ONCE = 8192


class TextEncoder:
    """A pre-trained sentence encoder.

    The constructor reads no weights and imports no torch; the model is loaded on first use.

    Parameters
    ----------
    model
        See `resolve_model`.
    precision
        ``auto``: bfloat16 matrix products where the hardware has them, else float32.
    batch_size
        Texts of ordinary length per batch; batches of long texts hold fewer, of short ones more.
    base
        What a relative model folder is relative to.
    device
        ``cpu`` or ``cuda``; a GPU is used where there is one.

    Raises
    ------
    EpoxyError
        If the model's folder does not exist or holds no model.
    """

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        precision: Precision = "auto",
        batch_size: int = 64,
        *,
        base: Path | None = None,
        device: str | None = None,
    ) -> None:
        self.model = resolve_model(model, base)
        self.precision: Precision = precision
        self.batch_size = batch_size
        self._device = device

    @property
    def name(self) -> str:
        """What people call the model."""
        return self.model.name

    @cached_property
    def fingerprint(self) -> str:
        """What the vectors depend on besides the text: the model's content and the precision."""
        return f"{model_fingerprint(self.model)}:{self.precision}"

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        known = self._transformer.get_embedding_dimension()
        return self._encode_batch(["text"]).shape[1] if known is None else int(known)

    @property
    def device(self) -> str:
        """``cpu`` or ``cuda``."""
        return self._device or default_device()

    def encode(
        self,
        texts: Sequence[str],
        progress: Callable[[int, int], None] | None = None,
    ) -> npt.NDArray[np.float32]:
        """Embed texts.

        Parameters
        ----------
        texts
            n texts; what exceeds the model's maximum length is cut, as sentence-transformers does.
        progress
            Called with (texts done, n) after every batch.

        Returns
        -------
        ndarray
            float32 [n, d], unit rows, in the order of ``texts``.

        Raises
        ------
        EpoxyError
            If the model cannot be loaded, or gives a text no finite vector.
        """
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        done = 0
        for rows, block in self._batches(texts):
            vectors[rows] = block
            done += len(rows)
            if progress is not None:
                progress(done, len(texts))
        return vectors

    def encode_batches(self, texts: Sequence[str]) -> Iterator[Block]:
        """Embed texts in chunks that are worth storing as soon as they are there.

        The longest texts come first, so memory is at its peak at the start and an estimate of
        the remaining time errs on the safe side.

        Yields
        ------
        rows, vectors
            Positions in ``texts``, intp [c], and their unit vectors, float32 [c, d]; c is about
            `CHUNK_ROWS`, less in the last chunk. Every position comes once.

        Raises
        ------
        EpoxyError
            If the model cannot be loaded, or gives a text no finite vector.
        """
        chunk: list[Block] = []
        rows = 0
        for block in self._batches(texts):
            chunk.append(block)
            rows += len(block[0])
            if rows >= CHUNK_ROWS:
                yield _joined(chunk)
                chunk, rows = [], 0
        if chunk:
            yield _joined(chunk)

    @cached_property
    def _reduced(self) -> bool:
        return resolve_precision(self.precision, self.device) == "bfloat16"

    @cached_property
    def _transformer(self) -> Any:
        return load_sentence_transformer(self.model, self.device, self.precision)

    def _batches(self, texts: Sequence[str]) -> Iterator[Block]:
        counts = self._token_counts(texts)
        order = np.argsort(-counts, kind="stable")
        budget = self.batch_size * _TOKENS_PER_TEXT[self.device.partition(":")[0]]
        start = 0
        while start < len(order):
            rows = order[start : start + max(1, budget // int(counts[order[start]]))]
            vectors = self._encode_batch([texts[row] for row in rows])
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            good = np.isfinite(lengths) & (lengths > 0)
            if not good.all():
                row = rows[~good[:, 0]].min()
                raise EpoxyError(
                    f"{self.model.name} gives no finite vector: {texts[row][:60]!r}",
                    where=f"text {row}",
                    remedy="Mend or remove the text, or set embedding.precision: float32.",
                )
            yield rows, vectors / lengths
            start += len(rows)

    def _encode_batch(self, texts: list[str]) -> npt.NDArray[np.float32]:
        import torch

        model, reduced = self._transformer, self._reduced
        # Autocast keeps norms, sums and pooling in float32: only matrix products lose digits.
        with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=reduced):
            vectors = model.encode(texts, batch_size=len(texts), show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)

    def _token_counts(self, texts: Sequence[str]) -> npt.NDArray[np.int64]:
        """Tokens per text after truncation; estimated for models without such a tokenizer."""
        from transformers import PreTrainedTokenizerBase

        tokenizer = getattr(self._transformer[0], "tokenizer", None)
        if not isinstance(tokenizer, PreTrainedTokenizerBase):
            return np.array(
                [1 + len(text) // _CHARACTERS_PER_TOKEN for text in texts], dtype=np.int64
            )
        counts: list[int] = []
        for start in range(0, len(texts), _TOKENIZED_AT_ONCE):
            part = list(texts[start : start + _TOKENIZED_AT_ONCE])
            found = tokenizer(
                part, truncation=True, return_attention_mask=False, return_token_type_ids=False
            )
            counts.extend(max(1, len(ids)) for ids in found["input_ids"])
        return np.array(counts, dtype=np.int64)


def _joined(chunk: list[Block]) -> Block:
    return np.concatenate([rows for rows, _ in chunk]), np.concatenate(
        [block for _, block in chunk]
    )
