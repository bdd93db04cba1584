"""Model cards: what a reader of a saved end model should know, in Hugging Face's format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml


@dataclass(frozen=True)
class ModelCard:
    """What the head itself does not know.

    Attributes
    ----------
    task
        Name of the labeling project.
    description
        What it labels, in a sentence.
    pipeline
        The kind of task, by Hugging Face's names.
    encoder_name
        The encoder, as in the task's settings.
    weak_labels
        Number of training items labelled by heuristics.
    gold_labels
        Number of training items labelled by hand.
    label_source
        Where the weak labels are from, such as the label model and the training set's settings.
    label_run
        Id of the label run.
    scores
        Metrics by split: ``{"test": {"accuracy": 0.93}}``.
    notes
        Further paragraphs on use and limits.
    """

    task: str = ""
    description: str = ""
    pipeline: str = "text-classification"
    encoder_name: str = ""
    weak_labels: int | None = None
    gold_labels: int | None = None
    label_source: str = ""
    label_run: str = ""
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    notes: Sequence[str] = ()


def render_card(
    card: ModelCard,
    *,
    file: str,
    sha256: str,
    kind: str,
    settings: Mapping[str, Any],
    classes: Sequence[str],
    encoder: str,
    temperature: float,
) -> str:
    """Write the card as Markdown with YAML front matter.

    Parameters
    ----------
    card
        What people should know.
    file
        Name of the file it describes.
    sha256
        Its digest, which tells whether card and file belong together.
    kind
        ``linear`` or ``mlp``.
    settings
        Of the head.
    classes
        Names of the K classes.
    encoder
        Fingerprint of the encoder.
    temperature
        Of the calibration; 1 for none.
    """
    name = card.task or file
    front: dict[str, Any] = {
        "library_name": "epoxy-pipelines",
        "pipeline_tag": card.pipeline,
        "tags": ["weak-supervision", "programmatic-labeling", "embeddings"],
    }
    if card.scores:
        front["model-index"] = [{"name": name, "results": _results(name, card)}]
    front["epoxy"] = {
        "task": card.task,
        "classes": list(classes),
        "head": {"kind": kind, **settings, "temperature": round(temperature, 4)},
        "encoder": {"name": card.encoder_name, "fingerprint": encoder},
        "training_labels": {"weak": card.weak_labels, "gold": card.gold_labels},
        "label_source": card.label_source,
        "label_run": card.label_run,
        "file": {"name": file, "sha256": sha256},
    }
    matter = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=100)
    return f"---\n{matter}---\n\n" + "\n\n".join(_body(card, name, file, kind, classes)) + "\n"


def _results(name: str, card: ModelCard) -> list[dict[str, Any]]:
    return [
        {
            "task": {"type": card.pipeline},
            "dataset": {"name": name, "type": name, "split": split},
            "metrics": [{"type": metric, "value": float(v)} for metric, v in values.items()],
        }
        for split, values in card.scores.items()
    ]


def _body(card: ModelCard, name: str, file: str, kind: str, classes: Sequence[str]) -> list[str]:
    model = {"linear": "multinomial logistic regression", "mlp": "one hidden layer"}.get(kind, kind)
    encoder = f"`{card.encoder_name}`" if card.encoder_name else "the encoder named above"
    parts = [f"# {name}"]
    parts += [card.description] if card.description else []
    parts.append(
        f"A head ({model}) on the frozen embeddings of {encoder}. It gives every embedding a "
        f"probability for each of {len(classes)} classes: {', '.join(map(_code, classes))}."
    )
    counts = [
        f"{count:,} items labelled by {who}"
        for count, who in ((card.weak_labels, "heuristics"), (card.gold_labels, "hand"))
        if count is not None
    ]
    if counts or card.label_source:
        trained = f"Trained on {' and '.join(counts)}." if counts else ""
        source = f"Weak labels: {card.label_source}." if card.label_source else ""
        parts += ["## Training labels", f"{trained} {source}".strip()]
    if card.scores:
        parts += ["## Scores", _table(card.scores)]
    parts += [
        "## Intended use and limits",
        "For items like those it was trained on, embedded by the encoder with the fingerprint "
        "above; any other gives meaningless answers. Its training labels come, all or most of "
        "them, from heuristics: where these are wrong in the same way, so is the model, and "
        "scores on few hand labels are uncertain. Look at a sample of its predictions before "
        "they decide anything about people.",
        *card.notes,
        "## Use",
        "```python\nfrom pathlib import Path\n\nfrom epoxy_core.end_model import load_head\n\n"
        f'head, classes = load_head(Path("{file}"), encoder=fingerprint)\n'
        "probabilities = head.predict_proba(embeddings)\n```",
    ]
    return parts


def _table(scores: Mapping[str, Mapping[str, float]]) -> str:
    metrics = list(dict.fromkeys(metric for values in scores.values() for metric in values))
    rows = [["split", *metrics], ["---", *("---:" for _ in metrics)]]
    for split, values in scores.items():
        shown = [f"{values[metric]:.4g}" if metric in values else "" for metric in metrics]
        rows.append([split, *shown])
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows
    )


def _code(text: str) -> str:
    """Inline code, whatever signs and line breaks it has."""
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{pad}{' '.join(text.split())}{pad}{fence}"
