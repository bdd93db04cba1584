"""The peers' label models, asked through files and a process in their own environment."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError

RUNNER = Path(__file__).parents[1] / "peers" / "run.py"
_DECIMALS = 6

Votes = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]


class Answer(NamedTuple):
    """P(class), float64 [q, K], and what fitting and predicting took: time, memory (MiB)."""

    probabilities: Floats
    seconds: float
    mebibytes: float


class Peers:
    """A process that answers one job after another; use it as a context.

    Attributes
    ----------
    versions
        Of the peers' packages.
    """

    def __init__(self, python: Path) -> None:
        self._python = python
        self.versions: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        # The models are small: on several threads they mostly wait for one another.
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        log = Path(self._folder.name) / "log"
        try:
            with log.open("wb") as stream:
                self._process = subprocess.Popen(
                    [str(self._python), str(RUNNER)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stream,
                    text=True,
                    env=environment,
                )
        except OSError as error:
            raise self._broken(str(error)) from error
        self.versions = json.loads(self._reply())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()
        self._folder.cleanup()

    def label(
        self,
        method: str,
        fit: Votes,
        predict: Votes,
        n_classes: int,
        balance: Floats | None = None,
        seed: int = 0,
    ) -> Answer:
        """Fit one of ``run.METHODS`` on votes, predict others.

        Probabilities are rounded to six decimals, so that ties of reduced precision are ties; a
        row that is not finite is a tie of all classes.

        Raises
        ------
        EpoxyError
            If the peer fails.
        """
        job, reply = (Path(self._folder.name) / name for name in ("job.npz", "answer.npz"))
        np.savez(
            job,
            method=method,
            fit=fit,
            predict=predict,
            n_classes=n_classes,
            balance=np.empty(0) if balance is None else balance,
            seed=seed,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(f"{job}\t{reply}\n")
        self._process.stdin.flush()
        said = self._reply()
        if said != "done":
            raise EpoxyError(said, where=f"peer {method}")
        with np.load(reply) as stored:
            probabilities = np.round(stored["probabilities"], _DECIMALS)
            probabilities[~np.isfinite(probabilities).all(axis=1)] = 1 / n_classes
            return Answer(probabilities, float(stored["seconds"]), float(stored["mebibytes"]))

    def _reply(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            log = (Path(self._folder.name) / "log").read_text(errors="replace").strip()
            raise self._broken(log.rpartition("\n")[2] or "no answer")
        return line

    def _broken(self, problem: str) -> EpoxyError:
        return EpoxyError(
            problem,
            where=str(self._python),
            remedy="Install benchmarks/peers/requirements.txt there (`make bench-quality` does).",
        )
