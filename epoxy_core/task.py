"""A task: one labeling project, described by a ``task.yaml`` and a ``labeling_functions.py``."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator

from epoxy_core.errors import EpoxyError
from epoxy_core.section import Section
from epoxy_core.settings import (
    Automation,
    Embedding,
    EndModel,
    Extension,
    ItemSequence,
    LabelChanges,
    LabelingFunctions,
    LabelModelSettings,
    TrainingSet,
)
from epoxy_core.source_settings import GoldLabels, Source, TextSource, VideoSource
from epoxy_core.task_problems import problems, refuse_repeats

TASK_FILE = "task.yaml"
LEXICAL_WEIGHT = 0.5
"""Length of the lexical vector of a text beside its embedding."""

MAX_CLASSES = 63
"""Votes are int8: one number for each class, and one for not that class."""


class Task(Section):
    """One labeling project, as validated from ``task.yaml``."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="prefix of the task's asset keys")
    description: str = ""
    owners: list[str] = Field(default_factory=list, description="e-mail addresses or team:<name>")
    source: Source
    classes: list[str] = Field(min_length=2, description="class names; a vote is a position here")
    labels: GoldLabels | None = None
    embedding: Embedding = Embedding()
    labeling_functions: LabelingFunctions = LabelingFunctions()
    extension: Extension = Extension()
    label_model: LabelModelSettings = LabelModelSettings()
    label_changes: LabelChanges = LabelChanges()
    training_set: TrainingSet = TrainingSet()
    end_model: EndModel | None = Field(EndModel(), description="null for none")
    automation: Automation = Automation()

    _folder: Path = PrivateAttr(default=Path())

    @field_validator("classes", mode="before")
    @classmethod
    def _classes_are_text(cls, value: Any) -> Any:
        """YAML reads ``[yes, no]`` as booleans and ``[0, 1]`` as numbers: ask for quotes."""
        if isinstance(value, list) and any(not isinstance(name, str) for name in value):
            bad = next(name for name in value if not isinstance(name, str))
            raise ValueError(f"{bad!r} is not text in YAML; put class names in quotes")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "Task":
        twice = {name for name in self.classes if self.classes.count(name) > 1}
        if twice:
            raise ValueError(f"classes: {sorted(twice)[0]!r} is there twice")
        if len(self.classes) > MAX_CLASSES:
            raise ValueError(
                f"classes: {len(self.classes)}, and at most {MAX_CLASSES} are possible: a vote for "
                "or against each must fit in a byte; merge some, or label in two tasks"
            )
        balance = self.label_model.class_balance
        if isinstance(balance, list):
            if len(balance) != len(self.classes):
                raise ValueError(
                    f"label_model.class_balance: {len(balance)} shares "
                    f"for {len(self.classes)} classes"
                )
            if not (min(balance) > 0 and abs(sum(balance) - 1) <= 1e-6):
                raise ValueError("label_model.class_balance: positive shares that sum to 1, please")
        borrow_from = self.extension.borrow_from
        if borrow_from != "any" and self.sequence is None and self.video is None:
            raise ValueError(
                f"extension.borrow_from: {borrow_from!r} needs items in sequences, and "
                "label_model.sequence names none"
            )
        if self.labels is None or self.labels.dev == 0:
            reason = "`labels` is absent" if self.labels is None else "labels.dev is 0"
            for setting, value in (
                ("extension.threshold", self.extension.threshold),
                ("label_model.class_balance", balance),
            ):
                if value == "dev":
                    raise ValueError(f"{setting}: 'dev' needs dev labels, and {reason}")
        return self

    @property
    def folder(self) -> Path:
        """Absolute path of the folder that holds ``task.yaml``."""
        return self._folder

    @property
    def video(self) -> VideoSource | None:
        """The source, if it is videos."""
        return self.source if isinstance(self.source, VideoSource) else None

    @property
    def text(self) -> TextSource | None:
        """The source, if it is text."""
        return self.source if isinstance(self.source, TextSource) else None

    @property
    def sequence(self) -> ItemSequence | None:
        """Which items follow one another, if they do; those of a video by themselves."""
        sequence = self.label_model.sequence
        if sequence != "auto":
            return sequence
        return ItemSequence(by="video", order="start") if self.video else None

    @property
    def lexical_weight(self) -> float:
        """Length of an item's lexical vector beside its embedding; 0 for none."""
        weight = self.embedding.lexical_weight
        if weight != "auto":
            return weight
        return 0.0 if self.video else LEXICAL_WEIGHT

    @property
    def n_classes(self) -> int:
        """K, the number of classes."""
        return len(self.classes)


def load_task(path: Path) -> Task:
    """Read and validate a task.

    Parameters
    ----------
    path
        A ``task.yaml`` or the folder that holds one.

    Raises
    ------
    EpoxyError
        If the file is absent, is not YAML, or does not validate; every problem is listed with
        its line.
    """
    file = path / TASK_FILE if path.is_dir() else path
    if not file.is_file():
        raise EpoxyError(
            "no such task",
            where=str(file),
            remedy="`epoxy init FOLDER` makes one; a task is a folder with a task.yaml.",
        )
    try:
        source = file.read_text(encoding="utf-8")
        root = yaml.compose(source, Loader=yaml.SafeLoader)
        content = yaml.safe_load(source)
    except OSError as error:
        raise EpoxyError(
            f"cannot be read: {error.strerror}", where=str(file), remedy="Check its permissions."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        shown = str(error).replace('"<unicode string>", ', "")
        raise EpoxyError(
            f"not valid YAML: {shown}",
            where=str(file),
            remedy="Mend the syntax there; the encoding is UTF-8.",
        ) from error
    if not isinstance(content, dict):
        raise EpoxyError(
            "a task is a mapping of settings",
            where=str(file),
            remedy="Start with name:, source: and classes:.",
        )
    refuse_repeats(file, root)
    try:
        task = Task.model_validate(content)
    except ValidationError as error:
        raise EpoxyError(
            "\n".join(problems(file, root, error)),
            remedy="docs/task.md lists every setting.",
        ) from error
    task._folder = file.parent.resolve()
    return task


def discover(directory: Path) -> list[Path]:
    """Folders below ``directory`` (or itself) that hold a ``task.yaml``, sorted by name.

    Raises
    ------
    EpoxyError
        If ``directory`` does not exist.
    """
    if not directory.is_dir():
        raise EpoxyError(
            "no such directory of tasks",
            where=str(directory),
            remedy="Point EPOXY_TASKS or --tasks at the folder that holds your tasks.",
        )
    if (directory / TASK_FILE).is_file():
        return [directory]
    return sorted(file.parent for file in directory.glob(f"*/{TASK_FILE}"))
