"""The report around the tables: what was measured, and how."""

from collections.abc import Sequence

import numpy as np

from benchmarks.quality import contest
from benchmarks.quality.choices import choices_table
from benchmarks.quality.data import TextSet
from benchmarks.quality.ours import FRAME_STAGES
from benchmarks.quality.table import (
    SetResult,
    curve_table,
    quality_table,
    seconds_table,
    worth_table,
)

FRAME_METHODS = (
    contest.MAJORITY,
    contest.SNORKEL,
    contest.DAWID_SKENE,
    contest.FLYING_SQUID,
    contest.CHAIN_OF_3,
    *(contest.OURS + stage for stage in FRAME_STAGES),
)

PROTOCOL = """\
    make bench-quality DATA=FOLDER [SETS="FOLDER …"]

Every method gets the same votes and the same embeddings ({encoder}, stored as float16).
It is fitted on the votes of the train items. Gold labels of valid items are for thresholds and
class balances; gold labels of test items are read by the score alone, those of train items by
nothing. Accuracy and F1 (of class 1; of more than two classes the mean) in percent, on all test
items: a tie of *t* classes counts as 1/*t* of each. ± is the standard deviation over five seeds
where a method draws at random (Snorkel).

- *→ LR*: scikit-learn's logistic regression (C = 1) on the embeddings of the train items with a
  vote, trained on the most probable class; items whose most probable classes tie are left out.
- *Snorkel*: 500 epochs. *FlyingSquid*: class balance of the valid labels, otherwise its defaults;
  for two classes only. *Dawid–Skene*: crowd-kit, 100 iterations. An item without votes is a tie
  to majority vote, Snorkel and Dawid–Skene; FlyingSquid reads abstains as votes.
- *Epoxy as published*: votes extended to the nearest train item with a vote, above thresholds
  tuned on the valid labels (first one quantile level for all LFs, then LF by LF where that takes
  at most 1,000 label models); then FlyingSquid as in the authors' notebook (median of triplets),
  for more than two classes majority vote.
- *ours*: the product's stages with the defaults of `task.yaml`, embeddings joined with lexical
  vectors of the train texts from the end model on. *auto* answers by votes and classifier together,
  as the product chose it. Only *auto, with the valid labels* sees gold labels: it trains with
  them, each judged by a classifier that did not see it, and takes its class balance from them."""


def report(
    encoder: str,
    sets: Sequence[TextSet],
    texts: Sequence[SetResult],
    frames: Sequence[SetResult],
    identical: bool,
    about: str,
) -> str:
    """Write the report as Markdown.

    Parameters
    ----------
    encoder
        Its name.
    sets, texts
        Sets of texts and their results.
    frames
        Results of sets of frames.
    identical
        Whether ours came out the same in a second run.
    about
        Date, machine and versions.
    """
    lines = ["# Label quality", "", PROTOCOL.format(encoder=encoder)]
    if texts:
        lines += ["", *map(_about, sets), *_texts(texts, identical)]
    if frames:
        lines += _frames(frames)
    return "\n".join([*lines, "", about, ""])


def _about(texts: TextSet) -> str:
    sizes = [np.count_nonzero(rows) for rows in (texts.train, texts.valid, texts.test)]
    about = (
        f"- `{texts.name}`: {'/'.join(f'{size:,}' for size in sizes)} items (train/valid/test), "
        f"{texts.votes.shape[1]} LFs, {texts.n_classes} classes; "
        f"{texts.covered[texts.test].mean():.1%} of the test items have a vote"
    )
    error = f"an accuracy of 80 has a standard error of {100 * np.sqrt(0.16 / sizes[-1]):.1f}"
    return "; ".join([about, *texts.notes, error]) + "."


def _texts(sets: Sequence[SetResult], identical: bool) -> list[str]:
    methods = contest.text_methods()
    again = "the same bit for bit" if identical else "NOT the same bit for bit"
    return [
        "",
        *quality_table(sets, methods, contest.BASELINE),
        "",
        f"Run a second time in the same process, ours came out {again} on every item.",
        "",
        "## What auto chose",
        "",
        *choices_table(sets, methods),
        "",
        "## Worth in gold labels",
        "",
        "So many gold labels, used directly, reach the method's test accuracy: logistic regression",
        "on the embeddings, C chosen by cross-validation, mean over five stratified random subsets",
        "of the valid items; the curve is made to rise and read linearly.",
        "",
        *worth_table(sets, methods),
        "",
        "The curves: test accuracy, mean ± standard deviation over the subsets.",
        "",
        *curve_table(sets),
        "",
        "## Seconds",
        "",
        "Fitting and labelling all items on one thread, embedding not counted; of Snorkel the mean",
        "of its seeds, of Epoxy with the tuning of its thresholds, of ours all stages together.",
        "",
        *seconds_table(sets, methods),
    ]


def _frames(sets: Sequence[SetResult]) -> list[str]:
    return [
        "",
        "## Consecutive frames",
        "",
        "Fitted on the votes of the unlabelled frames, scored on the labelled ones. There are no",
        "other labels, so no model is given a class balance. The chain of 3 is that of the video",
        "tutorial of FlyingSquid; the frames it drops at the end are read in a window that",
        "overlaps with the one before.",
        "",
        *quality_table(sets, FRAME_METHODS),
        "",
        "Seconds (of ours both together):",
        "",
        *seconds_table(sets, FRAME_METHODS),
    ]
