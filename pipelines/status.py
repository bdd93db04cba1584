"""``epoxy status``: what is out of date, and why; how much room the results take."""

import dagster as dg
from rich.console import Console
from rich.table import Table

from epoxy_core.errors import EpoxyError
from epoxy_core.home import Home
from epoxy_core.storage.database import Database
from epoxy_core.storage.footprint import footprint, in_words
from epoxy_core.task import Task
from pipelines.definitions import build
from pipelines.instance import open_instance
from pipelines.relabel import lost, observe
from pipelines.staleness import staleness


def print_status(console: Console, task: Task, home: Home) -> None:
    """Print every asset that `epoxy relabel` would start with or follow up on, and the sizes."""
    definitions = build([task], home)
    graph = definitions.resolve_asset_graph()
    with open_instance(home) as instance:
        observe(instance, task)
        assets = [asset for asset in graph.materializable_asset_keys if asset.path[0] == task.name]
        reasons = staleness(instance, definitions, lost(definitions, task, assets))
    stale = {asset: reasons[asset] for asset in assets if reasons[asset]}
    if not stale:
        console.print(f"[green]{task.name} is up to date[/green]")
        _print_footprint(console, task, home)
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("asset", no_wrap=True)
    table.add_column("why")
    follow: set[dg.AssetKey] = set()
    for level in graph.toposorted_asset_keys_by_level:
        for asset in level:
            if asset in stale:
                table.add_row("/".join(asset.path[1:]), str(stale[asset]))
            elif graph.get(asset).parent_keys & (stale.keys() | follow):
                follow.add(asset)
                table.add_row(
                    f"[dim]{'/'.join(asset.path[1:])}[/dim]", "[dim]if what it reads changes[/dim]"
                )
    console.print(table)
    console.print(f"epoxy relabel {task.folder}", highlight=False, soft_wrap=True)
    _print_footprint(console, task, home)


def _print_footprint(console: Console, task: Task, home: Home) -> None:
    """What is on disk, and per item."""
    sizes = footprint(home, task.name)
    if not sizes:
        return
    total = sum(sizes.values())
    parts = ", ".join(f"{part} {in_words(size)}" for part, size in sizes.items())
    items = _items(Database(home.database(task.name), patience=1))
    each = f", {total / items:,.0f} bytes per item" if items else ""
    console.print(
        f"on disk: {in_words(total)}{each} ({parts})", highlight=False, soft_wrap=True, style="dim"
    )


def _items(database: Database) -> int:
    """How many items there are; 0 if that cannot be told at this moment."""
    try:
        return int(database.query("SELECT count(*) FROM items")[0, 0])
    except EpoxyError:
        return 0
