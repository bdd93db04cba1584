"""``epoxy init``: a task folder that passes ``epoxy check`` at once."""

from pathlib import Path

from epoxy_core.errors import EpoxyError
from epoxy_core.scaffold.text import text_task
from epoxy_core.scaffold.video import holds_videos, video_task
from epoxy_core.task import TASK_FILE


def scaffold(folder: Path, data: Path | None = None) -> list[Path]:
    """Write a new task.

    Parameters
    ----------
    folder
        Where to; must not hold a task already.
    data
        Raw file (CSV, TSV, JSONL, Parquet), folder of .txt, video or folder of videos that the task
        should read; without any, a few example rows are written.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    EpoxyError
        If a task or a file to be written is there already, the data cannot be read, or the folder
        cannot be written.
    """
    if (folder / TASK_FILE).exists():
        raise EpoxyError(
            "a task is there already", where=str(folder), remedy="Choose another folder."
        )
    if data is not None and not data.exists():
        raise EpoxyError("no such file", where=str(data), remedy="Check the path after --data.")
    if data is not None and holds_videos(data):
        written = video_task(folder, data)
    else:
        written = text_task(folder, data)
    _write(written)
    return sorted(written)


def _write(files: dict[Path, str]) -> None:
    """Write all of them, or leave nothing; a file that is there is never overwritten."""
    made: list[Path] = []
    try:
        for file, content in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8") as stream:
                made.append(file)
                stream.write(content)
    except OSError as error:
        for done in made:
            done.unlink(missing_ok=True)
        raise EpoxyError(
            f"cannot be written: {error.strerror}",
            where=str(file),
            remedy="Choose another folder.",
        ) from error
