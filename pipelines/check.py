"""``epoxy check``: would this task run? Settings, data, and every LF on a sample."""

from collections.abc import Sequence

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from epoxy_core.combine import dependency_pairs
from epoxy_core.errors import EpoxyError
from epoxy_core.home import Home
from epoxy_core.item_order import item_order
from epoxy_core.labeling import (
    ABSTAIN,
    LabelingFunction,
    apply_labeling_function,
    check_examples,
    load_labeling_functions,
    symbol_names,
)
from epoxy_core.task import Task
from pipelines.check_data import check_data, check_encoder

SAMPLE = 500
"""Items on which every labeling function is tried."""


def check_task(console: Console, task: Task, home: Home) -> bool:
    """Check a task whose settings have validated, and print what was found.

    Returns
    -------
    bool
        Whether it would run.
    """
    console.print(f"[green]✓[/green] settings: {task.folder / 'task.yaml'}", highlight=False)
    problems: list[str] = []
    items = check_data(console, task, home, problems)
    check_encoder(console, task, problems)
    _check_heuristics(console, task, items, problems)
    for problem in problems:
        console.print(f"[red]✗[/red] {escape(problem)}", highlight=False, soft_wrap=True)
    if not problems:
        console.print(f"[green]{task.name} is ready[/green]: epoxy run {task.folder}")
    return not problems


def _check_heuristics(
    console: Console, task: Task, items: pl.DataFrame | None, problems: list[str]
) -> None:
    try:
        lfs = load_labeling_functions(task)
    except EpoxyError as error:
        problems.append(f"labeling functions: {error}")
        return
    console.print(f"[green]✓[/green] labeling functions: {len(lfs)}")
    if items is None:
        return
    try:
        dependency_pairs(task, [lf.name for lf in lfs])
        item_order(task, items)
    except EpoxyError as error:
        problems.append(str(error))
    on_vectors = [lf for lf in lfs if lf.needs_vectors]
    silent = _try(console, task, [lf for lf in lfs if not lf.needs_vectors], items, problems)
    for lf in on_vectors:
        try:
            check_examples(lf, items)
        except EpoxyError as error:
            problems.append(str(error))
    if on_vectors:
        names = ", ".join(lf.name for lf in on_vectors)
        console.print(f"  on embeddings, which the first run makes: {names}")
    elif silent:
        console.print(f"  [yellow]no vote for {escape(', '.join(silent))} there[/yellow]")


def _try(
    console: Console,
    task: Task,
    lfs: Sequence[LabelingFunction],
    items: pl.DataFrame,
    problems: list[str],
) -> list[str]:
    """Run on a sample and print what they vote; give the classes that none votes for."""
    sample = items.sample(min(SAMPLE, items.height), seed=0).sort("item_id")
    all_names = symbol_names(task.classes)
    voted_for: set[str] = set()
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("LF", "votes", "for", "errors"):
        table.add_column(name)
    for lf in lfs:
        result = apply_labeling_function(lf, sample, task.classes)
        voted = result.votes[result.votes != ABSTAIN]
        names = [all_names[vote] for vote in sorted(set(voted.tolist()))]
        voted_for.update(names)
        table.add_row(lf.name, str(len(voted)), ", ".join(names), str(result.n_errors or ""))
        if result.n_errors > task.labeling_functions.max_error_share * sample.height:
            problems.append(
                f"{lf.location}: {lf.name} {result.describe_errors()}\n"
                "  → Mend it, or raise labeling_functions.max_error_share."
            )
    if lfs:
        console.print(f"  tried on {sample.height} items:")
        console.print(table)
    return [name for name in task.classes if name not in voted_for]
