"""Where results live: one directory, one sub-folder per task."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """Paths below the output directory (``EPOXY_HOME``, by default ``.epoxy``)."""

    root: Path

    @classmethod
    def from_environment(cls) -> "Home":
        """The directory named by ``EPOXY_HOME``, or ``.epoxy`` in the working directory."""
        return cls(Path(os.environ.get("EPOXY_HOME", ".epoxy")).resolve())

    @property
    def dagster(self) -> Path:
        """Dagster's instance directory."""
        return self.root / "dagster"

    def task(self, name: str) -> Path:
        """Folder of one task's results."""
        return self.root / name

    def database(self, name: str) -> Path:
        """The task's DuckDB file."""
        return self.task(name) / "labels.duckdb"

    def unrecorded(self, name: str) -> Path:
        """What is in the task's tables and not in Dagster's records yet."""
        return self.task(name) / "unrecorded.json"

    def lance(self, name: str) -> Path:
        """The task's LanceDB directory: frames and embeddings."""
        return self.task(name) / "lance"

    def neighbors(self, name: str) -> Path:
        """The task's neighbour graph."""
        return self.task(name) / "neighbors.arrow"

    def lexical(self, name: str) -> Path:
        """The task's lexical vectors, with what makes them."""
        return self.task(name) / "lexical.safetensors"

    def training_set(self, name: str) -> Path:
        """Folder of the exported training set."""
        return self.task(name) / "training_set"

    def end_model(self, name: str) -> Path:
        """The saved end model."""
        return self.task(name) / "end_model.safetensors"
