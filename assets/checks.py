"""Checks between the label model and the published labels."""

import dagster as dg
import numpy as np

from assets.evaluation import scored
from assets.keys import key
from assets.store import Store
from epoxy_core.evaluation import score
from epoxy_core.label_model.choose import STAGES
from epoxy_core.storage.choices import read_choices
from epoxy_core.task import Task

MARGIN = 1.0
"""Standard errors that the label model may be below majority vote on the dev labels."""

LEAST_COVERAGE_KEPT = 0.5
"""A label run that covers less than this share of the previous one's coverage has collapsed."""


def label_checks(task: Task) -> list[dg.AssetChecksDefinition]:
    """Checks on the label model (blocking) and on the labels."""
    checks = [
        _no_class_missing(task),
        _agrees_or_is_better(task),
        _coverage_not_collapsed(task),
        _share_flipped(task),
    ]
    return [*checks, _not_below_majority_vote(task)] if task.labels else checks


def _no_class_missing(task: Task) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=key(task, "label_model"),
        name="no_class_missing",
        description="Every class is the most probable one of some item.",
        blocking=True,
    )
    def no_class_missing(store: Store) -> dg.AssetCheckResult:
        found = store.database(task).query(
            "SELECT DISTINCT label FROM predictions WHERE stage = 'extended_votes'"
        )["label"]
        missing = [name for name in task.classes if name not in set(found)]
        return dg.AssetCheckResult(
            passed=not missing,
            description=f"No item is labelled {', '.join(missing)}: no LF votes for it, or the "
            "votes for others always win. Write one that does."
            if missing
            else None,
            metadata={"missing": ", ".join(missing) or "none"},
        )

    return no_class_missing


def _agrees_or_is_better(task: Task) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=key(task, "label_model"),
        name="agrees_with_majority_or_is_better",
        description="The label model gives the items with votes the labels of majority vote, or "
        "there is evidence that it is better: dev labels, or how well LFs foretell one another.",
    )
    def agrees_with_majority_or_is_better(store: Store) -> dg.AssetCheckResult:
        choices = read_choices(store.database(task))
        warnings = [each.warning for each in choices if each.stage in STAGES and each.warning]
        scores = {
            name: value
            for each in choices
            if each.stage == "label model"
            for name, value in each.scores.items()
        }
        return dg.AssetCheckResult(
            passed=not warnings,
            severity=dg.AssetCheckSeverity.WARN,
            description="; ".join(warnings) or None,
            metadata=scores,
        )

    return agrees_with_majority_or_is_better


def _not_below_majority_vote(task: Task) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=key(task, "label_model"),
        name="not_below_majority_vote",
        description="On the dev labels, the label model on extended votes is not below majority "
        f"vote by more than {MARGIN:g} standard error.",
    )
    def not_below_majority_vote(store: Store) -> dg.AssetCheckResult:
        database = store.database(task)
        accuracy, items = {}, 0
        for stage in ("majority_vote", "extended_votes"):
            probabilities, gold, _ = scored(task, database, stage, "dev")
            items = len(gold)
            accuracy[stage] = score(probabilities, gold).accuracy if items else 0.0
        slack = MARGIN * np.sqrt(0.25 / items) if items else 0.0
        return dg.AssetCheckResult(
            passed=bool(accuracy["extended_votes"] >= accuracy["majority_vote"] - slack),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={**accuracy, "dev_items": items, "slack": float(slack)},
        )

    return not_below_majority_vote


def _coverage_not_collapsed(task: Task) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=key(task, "labels"),
        name="coverage_not_collapsed",
        description=f"At least {LEAST_COVERAGE_KEPT:.0%} of the share of items the previous label "
        "run covered.",
    )
    def coverage_not_collapsed(store: Store) -> dg.AssetCheckResult:
        runs = store.database(task).query(
            "SELECT n_labeled / n_items AS coverage FROM label_runs"
            " ORDER BY created_at DESC LIMIT 2"
        )
        now, before = runs["coverage"][0], runs["coverage"][-1]
        return dg.AssetCheckResult(
            passed=bool(now > 0 and now >= LEAST_COVERAGE_KEPT * before),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"coverage": float(now), "previous_coverage": float(before)},
        )

    return coverage_not_collapsed


def _share_flipped(task: Task) -> dg.AssetChecksDefinition:
    settings = task.label_changes

    @dg.asset_check(
        asset=key(task, "labels"),
        name="share_flipped",
        description=f"At most {settings.most_flipped:.0%} of the labels are another than in the "
        "last accepted label run.",
        blocking=settings.block,
    )
    def share_flipped(store: Store) -> dg.AssetCheckResult:
        run = store.database(task).query(
            "SELECT * FROM label_runs ORDER BY created_at DESC LIMIT 1"
        )
        share, before = run["share_flipped"][0], run["compared_with"][0]
        by_hand = settings.block and run["accepted"][0]
        passed = bool(share <= settings.most_flipped or by_hand)
        severity = dg.AssetCheckSeverity.ERROR if settings.block else dg.AssetCheckSeverity.WARN
        problem = (
            f"{share:.1%} of the labels flipped since the label run {before}; at most "
            f"{settings.most_flipped:.1%} may. `epoxy diff {task.name}` says which and why."
        )
        if settings.block:
            problem += f" Take the edit back, or `epoxy diff {task.name} --accept`."
        return dg.AssetCheckResult(
            passed=passed,
            severity=severity,
            description=None if passed else problem,
            metadata={
                "share_flipped": float(share),
                "most_flipped": settings.most_flipped,
                "compared_with": before or "none: the first run",
            },
        )

    return share_flipped
