"""A head with one hidden layer on frozen embeddings."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from epoxy_core.end_model.calibration import Scaling
from epoxy_core.end_model.examples import Embeddings, Examples, Floats, Labels, Targets
from epoxy_core.end_model.examples import make_examples as examples_of
from epoxy_core.end_model.head import EndModelHead

_HELD_OUT = 0.1
_MOST_HELD_OUT = 20_000
_LEAST_GAIN = 1e-3
_LAYERS = ("hidden.weights", "hidden.bias", "output.weights", "output.bias")
_SETTINGS = (
    "hidden",
    "labels",
    "dropout",
    "weight_decay",
    "learning_rate",
    "batch_size",
    "max_steps",
    "patience",
    "seed",
)


class MLPHead(EndModelHead):
    """One hidden layer (ReLU, dropout), trained by AdamW on soft or hard labels.

    Training stops when the cross-entropy on a tenth of the *training* items, held out by the
    seed, has not improved by 0.1 % for ``patience`` epochs; the best epoch's weights stay. The
    same seed gives the same head, and torch's own random state is left as it was.

    Parameters
    ----------
    n_classes
        K.
    hidden
        Width of the hidden layer.
    labels
        ``hard`` trains on the most probable class of each item, ``soft`` on the cross-entropy
        against its probabilities.
    dropout
        Share of hidden units left out at each step.
    weight_decay
        AdamW's.
    learning_rate
        AdamW's.
    batch_size
        Items per step.
    max_steps
        No further pass begins after as many steps, so the time has a bound whatever the items.
    patience
        Epochs without improvement before it stops.
    seed
        Of the start, the batches, the dropout and the items held out.

    Attributes
    ----------
    layers_
        Four float32 arrays: weights [h, d], bias [h], weights [K, h], bias [K]; the last is −inf
        for a class that no training item has, which is never predicted.
    epochs_
        Passes made.
    """

    kind: ClassVar[str] = "mlp"

    def __init__(
        self,
        n_classes: int,
        hidden: int = 128,
        labels: Labels = "hard",
        *,
        dropout: float = 0.5,
        weight_decay: float = 0.01,
        learning_rate: float = 5e-3,
        batch_size: int = 512,
        max_steps: int = 2_000,
        patience: int = 3,
        seed: int = 0,
    ) -> None:
        self.n_classes = n_classes
        self.hidden = hidden
        self.labels = labels
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_steps = max_steps
        self.patience = patience
        self.seed = seed

    def fit(
        self, embeddings: Embeddings, targets: Targets, sample_weight: Floats | None = None
    ) -> Self:
        """See `EndModelHead.fit`."""
        examples, seen = examples_of(
            embeddings, targets, sample_weight, self.labels, self.n_classes
        )
        with _deterministic(self.seed):
            first, first_bias, last, last_bias = self._train(examples, len(seen))
        weights = np.zeros((self.n_classes, self.hidden), dtype=np.float32)
        bias = np.full(self.n_classes, -np.inf, dtype=np.float32)
        weights[seen], bias[seen] = last, last_bias
        self.layers_ = [first, first_bias, weights, bias]
        self.scaling_ = Scaling()
        return self

    def logits(self, embeddings: npt.NDArray[np.float32]) -> Floats:
        """See `EndModelHead.logits`."""
        first, first_bias, last, last_bias = self.layers_
        hidden = np.maximum(embeddings @ first.T + first_bias, 0)
        return np.asarray(hidden @ last.T + last_bias, dtype=np.float64)

    @property
    def dimension(self) -> int:
        """See `EndModelHead.dimension`."""
        return int(self.layers_[0].shape[1])

    def settings(self) -> dict[str, Any]:
        """See `EndModelHead.settings`."""
        return {name: getattr(self, name) for name in _SETTINGS}

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """See `EndModelHead.tensors`."""
        return dict(zip(_LAYERS, self.layers_, strict=True))

    def restore(self, tensors: Mapping[str, npt.NDArray[Any]]) -> Self:
        """See `EndModelHead.restore`."""
        self.layers_ = [tensors[name] for name in _LAYERS]
        self.scaling_ = Scaling()
        return self

    def _train(self, examples: Examples, n_classes: int) -> list[npt.NDArray[np.float32]]:
        import torch
        from torch import nn

        def loss_of(part: Examples) -> tuple[Any, float]:
            [(x, target, weight)] = part.chunks(len(part))
            logits = model(torch.from_numpy(np.ascontiguousarray(x)))
            each = nn.functional.cross_entropy(
                logits, torch.from_numpy(np.ascontiguousarray(target)), reduction="none"
            )
            total = float(weight.sum())
            return each @ torch.from_numpy(weight) / total, total

        model = nn.Sequential(
            nn.Linear(examples.embeddings.shape[1], self.hidden),
            nn.ReLU(),
            nn.Dropout(self.dropout),
            nn.Linear(self.hidden, n_classes),
        )
        optimiser = torch.optim.AdamW(
            model.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay
        )
        generator = np.random.default_rng(self.seed)
        order = generator.permutation(len(examples))
        held = min(int(_HELD_OUT * len(order)), _MOST_HELD_OUT)
        held_out, training = examples.at(np.sort(order[:held])), order[held:]
        best, waited, kept = np.inf, 0, [p.detach().clone() for p in model.parameters()]
        self.epochs_ = steps = 0
        while steps < self.max_steps and waited <= self.patience:
            self.epochs_ += 1
            model.train()
            for batch in examples.at(generator.permutation(training)).blocks(self.batch_size):
                steps += 1
                optimiser.zero_grad()
                loss_of(batch)[0].backward()
                optimiser.step()
            model.eval()
            with torch.no_grad():
                losses = [loss_of(block) for block in held_out.blocks(4096)]
            total = sum(weight for _, weight in losses)
            found = sum(float(loss) * weight for loss, weight in losses) / max(total, 1e-9)
            waited += 1
            if found < best * (1 - _LEAST_GAIN) or not losses:
                best, waited = found, 0
                kept = [p.detach().clone() for p in model.parameters()]
        return [p.numpy() for p in kept]


@contextmanager
def _deterministic(seed: int) -> Iterator[None]:
    """Seed torch and let it use one thread, so that sums have one order; undone at the end."""
    import torch

    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
