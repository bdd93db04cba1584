"""Captions beside a video: WebVTT or SubRip, read by pysubs2, as text of a stretch of time."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

_SUFFIXES = (".vtt", ".srt")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<\d[\d:.,]*>|\{\\[^{}]*\}")


@dataclass(frozen=True)
class Captions:
    """Captions in the order in which they appear.

    Attributes
    ----------
    start, end
        float64 [n], seconds on the clock of the player.
    text
        One string per caption, without tags; lines are kept.
    problem
        What was wrong with caption files beside the video; None if nothing was.
    """

    start: npt.NDArray[np.float64]
    end: npt.NDArray[np.float64]
    text: list[str]
    problem: str | None = None


def caption_files(video: Path) -> list[Path]:
    """Caption files of a video, the one to be used first.

    ``name.vtt`` and ``name.srt`` of ``name.mp4`` come before those with a language,
    ``name.de.vtt``, which are sorted.
    """
    return captions_of([video])[video]


def captions_of(videos: Sequence[Path]) -> dict[Path, list[Path]]:
    """Caption files of many videos, as `caption_files`; every folder is listed once."""
    languages: dict[Path, list[Path]] = {}
    for folder in dict.fromkeys(video.parent for video in videos):
        try:
            beside = sorted(folder.iterdir())
        except OSError:
            continue
        for path in beside:
            if path.suffix.lower() in _SUFFIXES:
                languages.setdefault(folder / path.stem.rpartition(".")[0], []).append(path)
    found = {}
    for video in videos:
        exact = [video.with_suffix(suffix) for suffix in _SUFFIXES]
        candidates = [*exact, *languages.get(video.with_suffix(""), [])]
        found[video] = [path for path in candidates if path.is_file()]
    return found


def read_captions(video: Path) -> Captions:
    """Read the first caption file of a video that holds captions."""
    problems = []
    for path in caption_files(video):
        try:
            cues = _cues(path)
        except (OSError, ValueError, _unreadable()) as error:
            problems.append(f"captions {path.name} cannot be read: {_first_line(error)}")
            continue
        if cues:
            start, end, text = zip(*cues, strict=True)
            return Captions(np.array(start), np.array(end), list(text), _joined(problems))
        problems.append(f"captions {path.name} hold not one caption with a time")
    return Captions(np.empty(0), np.empty(0), [], _joined(problems))


def caption_text(captions: Captions, start: Sequence[float], end: Sequence[float]) -> list[str]:
    """Join the captions that are on during each stretch of time.

    Parameters
    ----------
    captions
        Of one video.
    start, end
        Stretches [start, end) in seconds.

    Returns
    -------
    list of str
        Captions that overlap the stretch, a line each; a line that only repeats the one before
        it, as in captions that roll up, is left out. "" where there is none.
    """
    latest = np.maximum.accumulate(captions.end)
    first = np.searchsorted(latest, np.asarray(start, np.float64), side="right")
    stop = np.searchsorted(captions.start, np.asarray(end, np.float64), side="left")
    texts = []
    for begin, lower, upper in zip(start, first, stop, strict=True):
        lines: list[str] = []
        for cue in range(lower, upper):
            if captions.end[cue] > begin:
                lines += [line for line in captions.text[cue].split("\n") if line not in lines[-2:]]
        texts.append("\n".join(lines))
    return texts


def _cues(path: Path) -> list[tuple[float, float, str]]:
    from pysubs2 import SSAFile

    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    found = SSAFile.from_string(text, format_=path.suffix.lower().lstrip("."))
    cues = [
        (event.start / 1000, event.end / 1000, _clean(event.text))
        for event in found
        if event.end > event.start
    ]
    return sorted(cue for cue in cues if cue[2])


def _clean(text: str) -> str:
    plain = html.unescape(_TAG.sub("", text.replace("\\N", "\n").replace("\\h", " ")))
    lines = (" ".join(line.split()) for line in plain.split("\n"))
    return "\n".join(line for line in lines if line)


def _unreadable() -> type[Exception]:
    from pysubs2.exceptions import Pysubs2Error

    return Pysubs2Error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _joined(problems: list[str]) -> str | None:
    return "; ".join(problems) or None
