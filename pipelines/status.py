"""``epoxy status``: what is out of date, and why."""

import dagster as dg
from rich.console import Console
from rich.table import Table

from epoxy_core.home import Home
from epoxy_core.task import Task
from pipelines.definitions import build
from pipelines.instance import open_instance
from pipelines.relabel import lost, observe
from pipelines.staleness import staleness


def print_status(console: Console, task: Task, home: Home) -> None:
    """Print every asset of the task that `epoxy relabel` would start with, or follow up on."""
    definitions = build([task], home)
    graph = definitions.resolve_asset_graph()
    with open_instance(home) as instance:
        observe(instance, task)
        assets = [asset for asset in graph.materializable_asset_keys if asset.path[0] == task.name]
        reasons = staleness(instance, definitions, lost(definitions, task, assets))
    stale = {asset: reasons[asset] for asset in assets if reasons[asset]}
    if not stale:
        console.print(f"[green]{task.name} is up to date[/green]")
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
