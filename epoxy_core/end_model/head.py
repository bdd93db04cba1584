"""What every end model does: learn from embeddings, predict, be calibrated, saved and loaded."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from epoxy_core.end_model.calibration import Scaling
from epoxy_core.end_model.card import ModelCard
from epoxy_core.end_model.examples import Embeddings, Floats, Targets
from epoxy_core.end_model.files import read_head, write_head

_CHUNK = 65_536


class EndModelHead(Protocol):
    """A classifier on frozen embeddings; `LinearHead` and `MLPHead` are two.

    Attributes
    ----------
    kind
        Its name in files and settings.
    n_classes
        K.
    scaling_
        Calibration of the logits (`fit_scaling`): none after ``fit``; replace it to calibrate
        the head. It is saved with it.
    """

    kind: ClassVar[str]
    n_classes: int
    scaling_: Scaling

    def __init__(self, n_classes: int, **settings: Any) -> None: ...

    def fit(
        self, embeddings: Embeddings, targets: Targets, sample_weight: Floats | None = None
    ) -> Self:
        """Train.

        Parameters
        ----------
        embeddings
            float32 or float16 [n, d], possibly memory-mapped; never copied as a whole.
        targets
            float [n, K] probabilities, or int [n] classes.
        sample_weight
            float64 [n]; ones when absent. A row of weight 0 is not learned from, so that a
            subset needs no copy of the embeddings.

        Raises
        ------
        EpoxyError
            If the training items are of fewer than two classes, or numbers do not match.
        """
        ...

    def logits(self, embeddings: npt.NDArray[np.float32]) -> Floats:
        """float64 [n, K], before calibration; −inf for a class without training items."""
        ...

    @property
    def dimension(self) -> int:
        """d, the length of the vectors it was trained on."""
        ...

    def settings(self) -> dict[str, Any]:
        """What the constructor takes besides the number of classes."""
        ...

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Learned arrays by name."""
        ...

    def restore(self, tensors: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Take over learned arrays."""
        ...

    def predict_proba(self, embeddings: Embeddings) -> Floats:
        """float64 [n, K], rows sum to 1."""
        result = np.empty((len(embeddings), self.n_classes))
        for first in range(0, len(embeddings), _CHUNK):
            chunk = np.asarray(embeddings[first : first + _CHUNK], dtype=np.float32)
            result[first : first + _CHUNK] = self.scaling_.apply(self.logits(chunk))
        return result

    def save(
        self,
        path: Path,
        *,
        classes: Sequence[str],
        encoder: str,
        card: ModelCard | None = None,
    ) -> None:
        """Write a safetensors file and, beside it, its model card; both or neither.

        Parameters
        ----------
        path
            The file; its folder exists. The card has the same name, ending in ``.md``.
        classes
            Names of the K classes.
        encoder
            Fingerprint of the encoder whose embeddings it was trained on.
        card
            What people should know of it besides.
        """
        write_head(
            path,
            kind=self.kind,
            settings=self.settings(),
            tensors=self.tensors(),
            scaling=self.scaling_,
            classes=classes,
            encoder=encoder,
            card=card or ModelCard(),
        )

    @classmethod
    def load(cls, path: Path, *, encoder: str | None = None) -> tuple[Self, list[str]]:
        """Read a saved head and the names of its classes.

        Parameters
        ----------
        path
            A file written by `save`.
        encoder
            If given, the fingerprint of the encoder in use.

        Raises
        ------
        EpoxyError
            If there is no such file, it is not a saved head of this kind, or it was trained on
            another encoder's embeddings.
        """
        saved = read_head(path, encoder=encoder, kind=cls.kind)
        head = cls(len(saved.classes), **saved.settings).restore(saved.tensors)
        head.scaling_ = saved.scaling
        return head, saved.classes
