"""What reading a corpus found wrong, counted and with examples."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from epoxy_core.errors import EpoxyError

MAX_EXAMPLES = 5
EXCERPT_LENGTH = 60

Rule = Literal["skip", "error", "report"]

EXPLANATIONS: dict[str, str] = {
    "undecodable": "bytes that are not text in the encoding given",
    "malformed": "rows that do not parse",
    "empty_text": "null, empty or blank text",
    "missing_id": "null, empty or blank id",
    "duplicate_id": "same id and same text as an earlier row",
    "conflicting_id": "same id as an earlier row, but another text",
    "duplicate_text": "same text as an earlier row",
    "unknown_class": "gold label that is not one of the classes",
    "unknown_split": "split of a gold label that is not dev, test or unlabeled",
    "conflicting_label": "another gold label for the same item",
    "unknown_item": "gold label of an id that is not in the corpus",
    "unknown_video": "gold label of a video that is not in the corpus",
    "ambiguous_video": "gold label of a file name that several videos have",
    "bad_stretch": "start and end of a gold label that are not seconds, in this order",
    "empty_stretch": "gold label of a stretch that no item has its middle in",
}


@dataclass(frozen=True)
class Example:
    """One occurrence: the line of a text file (the row of a Parquet file), counted from 1."""

    file: str
    row: int
    excerpt: str

    def __str__(self) -> str:
        return f"{self.file}:{self.row}: {self.excerpt}"


@dataclass(frozen=True)
class Problem:
    """Every occurrence of one kind of problem, and the rule applied to them."""

    kind: str
    count: int
    rule: Rule
    examples: tuple[Example, ...]

    def __str__(self) -> str:
        lines = [f"{self.kind}: {self.count} ({EXPLANATIONS[self.kind]})"]
        lines += [f"    {example}" for example in self.examples]
        if self.count > len(self.examples):
            lines.append("    …")
        return "\n".join(lines)


@dataclass(frozen=True)
class CorpusReport:
    """What was read and what was left out.

    Attributes
    ----------
    rows_read
        Records in the source files, header and blank lines not counted.
    items
        Rows of the items frame.
    files
        Names of the source files, relative to the task folder, in reading order.
    problems
        One entry per kind that occurred.
    splits
        Number of items in each of "unlabeled", "dev" and "test".
    """

    rows_read: int
    items: int
    files: tuple[str, ...]
    problems: tuple[Problem, ...]
    splits: Mapping[str, int]

    def count(self, kind: str) -> int:
        """Occurrences of one kind of problem; 0 when there are none."""
        return sum(problem.count for problem in self.problems if problem.kind == kind)


@dataclass
class Findings:
    """Collects problems while files are read; keeps the first few examples of each kind."""

    _counts: dict[str, int] = field(default_factory=dict)
    _rules: dict[str, Rule] = field(default_factory=dict)
    _examples: dict[str, list[Example]] = field(default_factory=dict)

    def add(
        self, kind: str, rule: Rule, count: int, examples: Iterable[tuple[str, int, str]]
    ) -> None:
        """Count ``count`` occurrences of ``kind``; ``examples`` are (file, row, excerpt)."""
        if count == 0:
            return
        self._counts[kind] = self._counts.get(kind, 0) + count
        self._rules[kind] = rule
        kept = self._examples.setdefault(kind, [])
        for file, row, text in examples:
            if len(kept) == MAX_EXAMPLES:
                break
            kept.append(Example(file, row, excerpt(text)))

    @property
    def unreadable(self) -> int:
        """Rows of the source that could not even be read."""
        return self._counts.get("undecodable", 0) + self._counts.get("malformed", 0)

    def problems(self) -> tuple[Problem, ...]:
        """All kinds found, in the order of `EXPLANATIONS`."""
        return tuple(
            Problem(kind, self._counts[kind], self._rules[kind], tuple(self._examples[kind]))
            for kind in EXPLANATIONS
            if kind in self._counts
        )

    def raise_errors(self, where: str, remedies: Mapping[str, str]) -> None:
        """Raise one error for every kind whose rule is "error", if there are any.

        Raises
        ------
        EpoxyError
            Listing those kinds with their examples; the remedy of the first comes first.
        """
        fatal = [problem for problem in self.problems() if problem.rule == "error"]
        if fatal:
            advice = dict.fromkeys(remedies[problem.kind] for problem in fatal)
            raise EpoxyError(
                "\n".join(str(problem) for problem in fatal),
                where=where,
                remedy=" ".join(advice),
            )


def excerpt(text: str) -> str:
    """Show the beginning of ``text`` on one printable line."""
    shown = text[: EXCERPT_LENGTH + 1].encode("utf-8", "backslashreplace").decode()
    cut = shown[:EXCERPT_LENGTH] + ("…" if len(shown) > EXCERPT_LENGTH else "")
    return repr(cut)[1:-1] or "(empty)"
