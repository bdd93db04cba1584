"""Sets of texts with votes, read from a folder and checked."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.quality.sets import FORMAT, SPLITS
from benchmarks.quality.trec import names_fine_class, without_first_word
from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import ABSTAIN

KEEPS_VOTES = "tutorial_keeps_votes"
"""Where ``data`` has this flag and it is false, the row's votes are left out."""

Votes = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class TextSet:
    """A set of texts, the train items first, then valid, then test.

    Attributes
    ----------
    name
        Of the folder.
    classes
        Names of the K classes.
    texts
        n texts.
    votes
        int8 [n, m].
    gold
        int8 [n], −1 where a train item has no label.
    train, valid, test
        bool [n].
    notes
        What was changed on the way in.
    """

    name: str
    classes: tuple[str, ...]
    texts: tuple[str, ...]
    votes: Votes
    gold: Votes
    train: npt.NDArray[np.bool_]
    valid: npt.NDArray[np.bool_]
    test: npt.NDArray[np.bool_]
    notes: tuple[str, ...]

    @property
    def n_classes(self) -> int:
        """K."""
        return len(self.classes)

    @property
    def covered(self) -> npt.NDArray[np.bool_]:
        """Bool [n], items with a vote."""
        return np.asarray((self.votes != ABSTAIN).any(axis=1))

    @property
    def dev_gold(self) -> Votes:
        """int8 [n], the class of the valid items, −1 elsewhere: all that a method may see."""
        return np.where(self.valid, self.gold, np.int8(ABSTAIN))


def load_texts(folder: Path, *, as_delivered: bool = False) -> TextSet:
    """Read and check a set of texts.

    Parameters
    ----------
    folder
        See `FORMAT`.
    as_delivered
        Whether test texts keep a fine class's name that each of them begins with.

    Raises
    ------
    EpoxyError
        Naming the file and the row that is at fault.
    """
    classes = _classes(folder / "label.json")
    texts: list[str] = []
    votes: list[list[int]] = []
    gold: list[int] = []
    sizes, notes = [], []
    silenced = 0
    for split in SPLITS:
        file = folder / f"{split}.json"
        rows = _read_object(file)
        sizes.append(len(rows))
        for name, row in rows.items():
            where = f"{file}: row {name!r}"
            text, label, cast, keeps = _row(where, row, len(classes), gold_needed=split != "train")
            if votes and len(cast) != len(votes[0]):
                raise EpoxyError(
                    f"{len(cast)} votes, {len(votes[0])} in the rows before", where=where
                )
            texts.append(text)
            gold.append(label)
            votes.append(cast if keeps else [ABSTAIN] * len(cast))
            silenced += not keeps
    split_of = np.repeat(np.arange(len(SPLITS)), sizes)
    if silenced:
        notes.append(f"votes of {silenced} rows left out (`{KEEPS_VOTES}` is false)")
    first = sizes[0] + sizes[1]
    if names_fine_class(texts[:first], texts[first:]):
        notes.append("every test text begins with the name of its fine class")
        if not as_delivered:
            texts[first:] = without_first_word(texts[first:])
            notes[-1] += ", which was cut"
    return TextSet(
        name=folder.resolve().name,
        classes=classes,
        texts=tuple(texts),
        votes=np.array(votes, dtype=np.int8),
        gold=np.array(gold, dtype=np.int8),
        train=split_of == 0,
        valid=split_of == 1,
        test=split_of == 2,
        notes=tuple(notes),
    )


def _classes(file: Path) -> tuple[str, ...]:
    names = _read_object(file)
    expected = [str(k) for k in range(len(names))]
    if len(names) < 2 or sorted(names) != sorted(expected):
        raise EpoxyError(
            f"classes {list(names)}",
            where=str(file),
            remedy='Number at least two classes from 0: {"0": "ham", "1": "spam"}.',
        )
    return tuple(str(names[k]) for k in expected)


def _read_object(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise EpoxyError("no such file", where=str(file), remedy=FORMAT) from error
    except ValueError as error:
        raise EpoxyError(f"not JSON: {error}", where=str(file), remedy=FORMAT) from error
    if not isinstance(content, dict) or not content:
        raise EpoxyError("not an object with rows", where=str(file), remedy=FORMAT)
    return content


def _row(
    where: str, row: Any, n_classes: int, *, gold_needed: bool
) -> tuple[str, int, list[int], bool]:
    """(text, class, votes, whether the votes count)."""
    try:
        data, label, votes = row["data"], row.get("label"), row["weak_labels"]
        text, keeps = data["text"], bool(data.get(KEEPS_VOTES, True))
    except (KeyError, TypeError, AttributeError) as error:
        raise EpoxyError(f"lacks {error}", where=where, remedy=FORMAT) from error
    if not isinstance(text, str):
        raise EpoxyError(f"text is {text!r}", where=where, remedy=FORMAT)
    label = ABSTAIN if label is None and not gold_needed else label
    if not _is_class(label, n_classes, least=0 if gold_needed else ABSTAIN):
        raise EpoxyError(
            f"label {label!r}", where=where, remedy=f"A label is 0 to {n_classes - 1}."
        )
    if not isinstance(votes, list):
        raise EpoxyError(f"weak_labels is {votes!r}", where=where, remedy=FORMAT)
    for lf, vote in enumerate(votes):
        if not _is_class(vote, n_classes, least=ABSTAIN):
            raise EpoxyError(
                f"LF {lf} votes {vote!r}",
                where=where,
                remedy=f"A vote is 0 to {n_classes - 1}, or {ABSTAIN} to abstain.",
            )
    return text, label, votes, keeps


def _is_class(value: Any, n_classes: int, *, least: int) -> bool:
    return type(value) is int and least <= value < n_classes
