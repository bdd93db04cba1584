"""Where benchmark sets are, and what they look like."""

from pathlib import Path

from epoxy_core.errors import EpoxyError

SPLITS = ("train", "valid", "test")
FRAMES = ("L_train_video.npy", "L_dev_video.npy", "Y_dev_video.npy")
FORMAT = (
    "A set is a folder with train.json, valid.json and test.json, each {id: {data: {text}, label, "
    "weak_labels}} with one vote per LF (-1 = abstain), and label.json, {class: name}; or, of "
    f"video, with {', '.join(FRAMES)} (votes and classes -1 and +1, 0 = abstain)."
)


def find_sets(data: Path | None, further: list[Path]) -> list[Path]:
    """Folders of the sets: those below ``data`` by name, then the further ones.

    Raises
    ------
    EpoxyError
        If there are none, a folder is absent, or one is no set.
    """
    folders = []
    if data is not None:
        if not data.is_dir():
            raise EpoxyError("no such folder", where=str(data), remedy=FORMAT)
        folders = sorted(folder for folder in data.iterdir() if _is_set(folder))
    for folder in further:
        if not _is_set(folder):
            raise EpoxyError("not a benchmark set", where=str(folder), remedy=FORMAT)
    if not folders and not further:
        where = str(data) if data else "DATA"
        raise EpoxyError("no benchmark sets given", where=where, remedy=f"Give a folder. {FORMAT}")
    return folders + further


def is_frames(folder: Path) -> bool:
    """Whether the set is of video frames."""
    return (folder / FRAMES[0]).is_file()


def _is_set(folder: Path) -> bool:
    return is_frames(folder) or (folder / "train.json").is_file()
