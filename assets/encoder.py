"""The encoder a task asks for."""

from epoxy_core.embed import TextEncoder
from epoxy_core.task import Task


def encoder_of(task: Task) -> TextEncoder:
    """The task's encoder; its model is loaded on first use."""
    settings = task.embedding
    return TextEncoder(settings.model, settings.precision, settings.batch_size, base=task.folder)
