"""``epoxy check``: would this task run? Settings, data, and every LF on a sample."""

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from epoxy_core.combine import dependency_pairs
from epoxy_core.corpus import fetch_source, read_corpus
from epoxy_core.embed import DEFAULT_MODEL, resolve_model
from epoxy_core.errors import EpoxyError
from epoxy_core.item_order import item_order
from epoxy_core.labeling import (
    ABSTAIN,
    apply_labeling_function,
    load_labeling_functions,
    symbol_names,
)
from epoxy_core.task import Task

SAMPLE = 500
"""Items on which every labeling function is tried."""


def check_task(console: Console, task: Task) -> bool:
    """Check a task whose settings have validated, and print what was found.

    Returns
    -------
    bool
        Whether it would run.
    """
    console.print(f"[green]✓[/green] settings: {task.folder / 'task.yaml'}", highlight=False)
    problems: list[str] = []
    items = _check_data(console, task, problems)
    _check_encoder(console, task, problems)
    _check_heuristics(console, task, items, problems)
    for problem in problems:
        console.print(f"[red]✗[/red] {escape(problem)}", highlight=False, soft_wrap=True)
    if not problems:
        console.print(f"[green]{task.name} is ready[/green]: epoxy run {task.folder}")
    return not problems


def _check_data(console: Console, task: Task, problems: list[str]) -> pl.DataFrame | None:
    try:
        fetch_source(task)
        corpus = read_corpus(task)
    except EpoxyError as error:
        problems.append(f"data: {error}")
        return None
    splits = ", ".join(f"{n:,} {split}" for split, n in sorted(corpus.report.splits.items()))
    console.print(f"[green]✓[/green] data: {corpus.items.height:,} items ({splits})")
    for found in corpus.report.problems:
        console.print(
            f"  [yellow]left out:[/yellow] {escape(str(found))}", highlight=False, soft_wrap=True
        )
    present = set(corpus.gold["label"].unique())
    absent = [name for i, name in enumerate(task.classes) if i not in present]
    if task.labels and absent:
        console.print(f"  [yellow]no hand label says {', '.join(absent)}[/yellow]")
    return corpus.items


def _check_encoder(console: Console, task: Task, problems: list[str]) -> None:
    try:
        model = resolve_model(task.embedding.model or DEFAULT_MODEL, task.folder)
    except EpoxyError as error:
        problems.append(f"encoder: {error}")
        return
    place = "" if model.folder else " (from the model hub, on the first run)"
    console.print(f"[green]✓[/green] encoder: {escape(model.name)}{place}", highlight=False)


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
    console.print(f"  tried on {sample.height} items:")
    console.print(table)
    silent = [name for name in task.classes if name not in voted_for]
    if silent:
        console.print(f"  [yellow]no vote for {escape(', '.join(silent))} there[/yellow]")
