"""The sections of ``task.yaml`` on what is done with the data; see also ``source_settings``."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from epoxy_core.section import Section, Share, Similarity


class Embedding(Section):
    """The pre-trained encoder."""

    model: str | None = Field(
        None,
        description="a sentence-transformers name or a folder that holds one, by default "
        "all-MiniLM-L6-v2; of videos an open_clip architecture or hf-hub:name, by default the "
        "packaged image tower of OpenAI's CLIP ViT-B/16",
    )
    checkpoint: str | None = Field(
        None, description="of an open_clip architecture: a pretrained tag (openai) or a file"
    )
    batch_size: int = Field(64, ge=1, le=4096)
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="auto: the fastest that keeps a cosine of 0.999 to float32"
    )
    lexical_weight: Literal["auto"] | Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        "auto",
        description="length of the vector of an item's words that refinement and end model read "
        "beside its embedding (of length 1), 0 for none; auto: 0.5, of videos 0",
    )


class LabelingFunctions(Section):
    """Where the heuristics are, and how many errors of one are too many."""

    file: str | None = Field(
        "labeling_functions.py", description="Python heuristics; null for none"
    )
    heuristics: list[dict[str, Any]] = Field(
        default_factory=list,
        description="ready-made heuristics: keywords, regex, lookup, "
        "length, between, similar, prompts",
    )
    max_error_share: Share = Field(
        0.05, description="an LF that raises on more of the items fails the run"
    )


class Extension(Section):
    """How abstaining items borrow votes (Epoxy, arXiv 2006.15168)."""

    neighbors: int = Field(32, ge=1, le=1024, description="k of the neighbour graph")
    recall: Literal["auto"] | Annotated[float, Field(gt=0, le=1)] = Field(
        "auto",
        description="least share of the true k nearest that the graph holds, 1: exact; auto: 1 "
        "up to 50,000 items, 0.99 up to 200,000, else 0.95",
    )
    threshold: Literal["auto", "dev"] | Similarity | dict[str, Similarity] = Field(
        "auto", description="auto: label-free; dev: from dev labels; a number; or one per LF"
    )
    weighting: Literal["calibrated", "hard", "propagated"] = Field(
        "calibrated",
        description="calibrated: by its similarity; hard: a borrowed vote counts as an own vote "
        "(the paper); propagated: items that borrow take their neighbours' mean posterior",
    )
    borrow_from: Literal["any", "same_sequence", "other_sequences"] = Field(
        "any",
        description="whose votes an item may borrow: of any item, or only within its own video "
        "(or `label_model.sequence`), or only from others",
    )


class ItemSequence(Section):
    """Items in time order: frames of a video, turns of a conversation."""

    by: str = Field(description="column of the source that names the sequence")
    order: str = Field(description="column that orders the items of a sequence: a number or text")


class LabelModelSettings(Section):
    """How votes become probabilities."""

    method: Literal["auto", "majority_vote", "triplets", "dawid_skene"] = Field(
        "auto", description="auto: by dev labels, or by how well LFs foretell one another"
    )
    class_balance: Literal["auto", "uniform", "dev"] | list[float] = Field(
        "auto",
        description="the classes' shares: uniform, from dev labels, or given in order; auto: from "
        "50 dev labels or more, else learned where votes tell it, else uniform",
    )
    dependencies: Literal["auto", "none"] | list[tuple[str, str]] = Field(
        "auto",
        description="pairs of labeling functions that vote alike for other reasons than the "
        "class; auto: found from their votes",
    )
    sequence: Literal["auto"] | ItemSequence | None = Field(
        "auto",
        description="items in time order: their classes and the LFs' votes persist; auto: those "
        "of a video, and no others",
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
    """Which labelled items become training data, and with which labels."""

    refine: Literal["auto", "always", "never"] = Field(
        "auto",
        description="labels that votes and embeddings agree on; auto: unless dev labels, or "
        "labeling functions left out, say that it does not help",
    )
    hand_labels: Literal["train", "hold_out"] = Field(
        "train",
        description="train: dev items are in the training set with their hand label, and are "
        "scored by models that did not see them; hold_out: they are not",
    )
    votes: Literal["own", "extended"] = Field(
        "own", description="own: only items an LF voted on; extended: those that borrow, too"
    )
    keep: Literal["auto"] | Annotated[float, Field(gt=0, le=1)] = Field(
        "auto",
        description="share of them kept by the cut statistic; auto: all of the refined, 0.8 of "
        "the label model's",
    )
    formats: list[Literal["parquet", "jsonl"]] = Field(default=["parquet", "jsonl"], min_length=1)


class EndModel(Section):
    """A classifier on the embeddings, trained on the training set."""

    head: Literal["linear", "mlp"] = Field("linear", description="or one hidden layer (torch)")
    labels: Literal["auto", "hard", "soft"] = Field(
        "auto", description="auto: soft on refined labels, hard on the label model's"
    )
    l2: float = Field(
        1.0, gt=0, allow_inf_nan=False, description="of the linear head: inverse of sklearn's C"
    )
    hidden: int = Field(128, ge=1, le=4096, description="of the MLP head: units")


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
            from croniter import croniter

            if len(value.split()) != 5 or not croniter.is_valid(value):
                raise ValueError("a cron schedule, please: minute hour day month weekday")
        return value
