"""What `auto` chose on each set, on what evidence, and what hindsight would have chosen."""

from collections.abc import Sequence

from benchmarks.quality.contest import OURS
from benchmarks.quality.ours import AUTO, AUTO_DEV, STAGES
from benchmarks.quality.table import SetResult

_WITHOUT_GOLD = tuple(OURS + stage for stage in STAGES if stage != AUTO_DEV)


def choices_table(sets: Sequence[SetResult], methods: Sequence[str]) -> list[str]:
    """One row per set and `auto`, with the test accuracy it gave up against the best stage."""
    lines = [
        "Hindsight is the best of our stages by test accuracy, which nothing but this table knows;",
        "for *auto* among those without gold labels.",
        "",
        "| set | method | chosen | evidence | accuracy | in hindsight |",
        "|---|---|---|---|---|---|",
    ]
    for each in sets:
        for stage in (AUTO, AUTO_DEV):
            name = OURS + stage
            choice = each.choices.get(name)
            if choice is None or name not in methods:
                continue
            rivals = _WITHOUT_GOLD if stage == AUTO else (*_WITHOUT_GOLD, name)
            best = max(rivals, key=each.accuracy)
            scores = ", ".join(f"{key} {value:.3f}" for key, value in choice.scores.items())
            evidence = f"{choice.measure}: {scores}. {choice.reason}" if scores else choice.reason
            lines.append(
                f"| {each.name} | {stage} | {choice.chosen} | {evidence} "
                f"| {100 * each.accuracy(name):.1f} "
                f"| {best.removeprefix(OURS)} {100 * each.accuracy(best):.1f} |"
            )
    return lines
