"""The one resource of the pipeline: where a task's results are."""

from pathlib import Path

import dagster as dg

from assets.encoder import encoder_of
from assets.liveness import claim_run
from assets.sampling import sampling
from epoxy_core.home import Home
from epoxy_core.storage.database import Database
from epoxy_core.storage.frames import FrameStore
from epoxy_core.storage.lance import EmbeddingStore
from epoxy_core.storage.lexical import LexicalStore
from epoxy_core.storage.neighbors import NeighborStore
from epoxy_core.task import Task


class Store(dg.ConfigurableResource):
    """Opens a task's DuckDB file and LanceDB tables below one output directory."""

    home: str

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Tie the run to its process, so that a killed one is known to be dead."""
        if context.instance and context.run:
            claim_run(context.instance, context.run)

    @property
    def paths(self) -> Home:
        """The layout of the output directory."""
        return Home(Path(self.home))

    def database(self, task: Task) -> Database:
        """Items, votes and labels."""
        return Database(self.paths.database(task.name))

    def embeddings(self, task: Task) -> EmbeddingStore:
        """Vectors of the task's encoder, keyed by content."""
        return EmbeddingStore(self.paths.lance(task.name), encoder_of(task).fingerprint)

    def frames(self, task: Task) -> FrameStore:
        """What scanning the task's videos gave; empty for text."""
        return FrameStore(self.paths.lance(task.name), sampling(task.video) if task.video else "")

    def neighbors(self, task: Task) -> NeighborStore:
        """The neighbour graph."""
        return NeighborStore(self.paths.neighbors(task.name))

    def lexical(self, task: Task) -> LexicalStore:
        """Lexical vectors, and what makes them."""
        return LexicalStore(self.paths.lexical(task.name))
