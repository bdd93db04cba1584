"""The encoder a task asks for."""

from epoxy_core.embed import DEFAULT_MODEL, ClipEncoder, TextEncoder
from epoxy_core.task import Task


def encoder_of(task: Task) -> TextEncoder | ClipEncoder:
    """The task's encoder; its model is loaded on first use."""
    return clip_encoder(task) if task.video else text_encoder(task)


def text_encoder(task: Task) -> TextEncoder:
    """The sentence encoder that a text task's settings mean."""
    settings = task.embedding
    return TextEncoder(
        settings.model or DEFAULT_MODEL, settings.precision, settings.batch_size, base=task.folder
    )


def clip_encoder(task: Task) -> ClipEncoder:
    """The image encoder that a video task's settings mean."""
    settings = task.embedding
    return ClipEncoder(
        settings.model,
        settings.checkpoint,
        settings.precision,
        settings.batch_size,
        base=task.folder,
    )
