"""Frames, pictures and texts to unit vectors, through any CLIP model of open_clip."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from epoxy_core.embed.clip_load import LoadedClip, load_clip
from epoxy_core.embed.clip_models import WITH_TEXT, clip_fingerprint, resolve_clip
from epoxy_core.embed.clip_tower import DIMENSION
from epoxy_core.embed.feed import Ahead, batches
from epoxy_core.embed.frames import FrameContent, decoded, wanted_frames
from epoxy_core.embed.pooling import Block, Pool
from epoxy_core.embed.runtime import Precision, default_device
from epoxy_core.errors import EpoxyError

if TYPE_CHECKING:
    import torch

CHUNK_ROWS = 256
# What a layer computes for more pictures no longer fits what the allocator keeps at hand: every
# page is asked for and zeroed anew, half as much work again (benchmarks/results/video.md).
_MOST_ON_CPU = 16
_AHEAD = 64


class ClipEncoder:
    """A CLIP model's image tower and, if it has one, its text tower.

    The constructor reads no weights and imports no torch; the model is fetched and loaded on
    first use.

    Parameters
    ----------
    model, checkpoint
        See `resolve_clip`.
    precision
        ``auto``: bfloat16 matrix products where the hardware has them, else float32.
    batch_size
        Pictures per batch; on a CPU no more than 16, which is fastest.
    base
        What relative paths are relative to.
    device
        ``cpu`` or ``cuda``; a GPU is used where there is one.

    Raises
    ------
    EpoxyError
        If there is no such model.
    """

    def __init__(
        self,
        model: str | None = None,
        checkpoint: str | None = None,
        precision: Precision = "auto",
        batch_size: int = 64,
        *,
        base: Path | None = None,
        device: str | None = None,
    ) -> None:
        self.model = resolve_clip(model, checkpoint, base)
        self.precision: Precision = precision
        self.batch_size = batch_size
        self._device = device

    @property
    def name(self) -> str:
        """What people call the model."""
        return self.model.title

    @cached_property
    def fingerprint(self) -> str:
        """What the vectors depend on besides the pictures: weights and precision."""
        return f"{clip_fingerprint(self.model)}:{self.precision}"

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return DIMENSION if self.model.kind == "packaged" else self._clip.dimension

    @property
    def device(self) -> str:
        """``cpu`` or ``cuda``."""
        return self._device or default_device()

    def encode_batches(self, contents: Sequence[FrameContent]) -> Iterator[Block]:
        """Embed items that are made of frames, in chunks that are worth storing.

        A video is decoded once, in a thread of its own, while the frames before are encoded; a
        frame that several items need is encoded once. An item's vector is the mean of its
        frames' unit vectors, of length 1 again.

        Parameters
        ----------
        contents
            n items, in any order; those of one video need not stand together.

        Yields
        ------
        rows, vectors
            Positions in ``contents``, intp [c], and unit vectors, float32 [c, d]; c is at least
            `CHUNK_ROWS` unless a video ended. Every position comes once.

        Raises
        ------
        EpoxyError
            If the model cannot be loaded, or a frame cannot be decoded any more; everything that
            was finished before is given first.
        """
        wanted, frames = wanted_frames(contents)
        if not contents:
            return
        clip, pool = self._clip, Pool(frames)
        size = self._at_once
        with Ahead(lambda: decoded(wanted, clip.pixels), max(_AHEAD, 2 * size)) as ahead:
            try:
                for batch in batches(ahead, size):
                    vectors = self._encode(clip, [picture.pixels for picture in batch])
                    for picture, vector in zip(batch, vectors, strict=True):
                        _check(vector, self.name, str(picture.path), f"frame {picture.number}")
                        pool.add(picture.rows, vector)
                    if pool.finished >= CHUNK_ROWS or any(picture.last for picture in batch):
                        yield from pool.take()
            except EpoxyError:
                yield from pool.take()
                raise
        yield from pool.take()

    def encode_images(self, images: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        """Embed pictures.

        Parameters
        ----------
        images
            n arrays uint8 [h, w, 3], red first, of any sizes.

        Returns
        -------
        ndarray
            float32 [n, d], unit rows.

        Raises
        ------
        EpoxyError
            If the model cannot be loaded, or something is not such a picture.
        """
        for row, image in enumerate(images):
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
                raise EpoxyError(
                    f"not a picture: {image.dtype} {list(image.shape)}",
                    where=f"image {row}",
                    remedy="Give arrays uint8 [height, width, 3].",
                )
        found = np.empty((len(images), self.dimension), dtype=np.float32)
        for rows in batches(range(len(images)), self._at_once):
            pictures = [self._clip.pixels.resized(images[row]) for row in rows]
            found[rows] = self._encode(self._clip, pictures)
            for row in rows:
                _check(found[row], self.name, f"image {row}")
        return found

    def encode_texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Embed texts, such as prompts, into the space of the pictures.

        Returns
        -------
        ndarray
            float32 [n, d], unit rows.

        Raises
        ------
        EpoxyError
            If the model has no text tower, or cannot be loaded.
        """
        import torch

        clip = None if self.model.kind == "packaged" else self._clip
        if clip is None or clip.encode_text is None or clip.tokenize is None:
            raise EpoxyError(
                f"{self.name} has an image tower only: it cannot read prompts",
                where="embedding.model",
                remedy=f"Use a checkpoint with both towers: `embedding: {WITH_TEXT}` where the "
                "model hub can be reached, or that architecture with a file of all weights as "
                "checkpoint. Or label by examples, which need no text tower.",
            )
        found = np.empty((len(texts), clip.dimension), dtype=np.float32)
        with torch.inference_mode():
            for rows in batches(range(len(texts)), self._at_once):
                tokens = clip.tokenize([texts[row] for row in rows]).to(self.device)
                found[rows] = _unit(clip.encode_text(tokens))
        return found

    @property
    def _at_once(self) -> int:
        on_cpu = self.device.startswith("cpu")
        return min(self.batch_size, _MOST_ON_CPU) if on_cpu else self.batch_size

    @cached_property
    def _clip(self) -> LoadedClip:
        return load_clip(self.model, self.device, self.precision)

    def _encode(
        self, clip: LoadedClip, pictures: list[npt.NDArray[np.uint8]]
    ) -> npt.NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            return _unit(clip.encode_image(clip.pixels.batch(pictures, self.device)))


def _unit(vectors: "torch.Tensor") -> npt.NDArray[np.float32]:
    import torch

    found = torch.nn.functional.normalize(vectors.float(), dim=-1)
    return np.asarray(found.cpu().numpy(), dtype=np.float32)


def _check(vector: npt.NDArray[np.float32], name: str, *where: str) -> None:
    if not (np.isfinite(vector).all() and vector.any()):
        raise EpoxyError(
            f"{name} gives no finite vector",
            where=", ".join(where),
            remedy="Set embedding.precision: float32, or use another checkpoint.",
        )
