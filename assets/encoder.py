"""The encoder a task asks for."""

from epoxy_core.embed import DEFAULT_MODEL, TextEncoder
from epoxy_core.task import Task


def encoder_of(task: Task) -> TextEncoder:
    """The task's encoder; its model is loaded on first use."""
    settings = task.embedding
    return TextEncoder(
        settings.model or DEFAULT_MODEL, settings.precision, settings.batch_size, base=task.folder
    )
