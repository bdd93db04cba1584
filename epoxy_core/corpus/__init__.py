"""Raw text, or raw video, and gold labels → items; see `read_corpus` and `video_corpus`."""

from epoxy_core.corpus.digests import labels_digest, raw_files, source_digest, source_files
from epoxy_core.corpus.fetch import fetch_source, to_fetch
from epoxy_core.corpus.files import SourceFile, resolve_files
from epoxy_core.corpus.gold import split_of
from epoxy_core.corpus.items import Corpus
from epoxy_core.corpus.new_texts import STDIN, NewTexts, read_texts
from epoxy_core.corpus.report import CorpusReport, Example, Problem
from epoxy_core.corpus.scan import Scanned, scan_missing
from epoxy_core.corpus.text import content_hash, read_corpus
from epoxy_core.corpus.video import (
    UNUSABLE,
    refuse_bad_videos,
    video_corpus,
    video_items,
    videos_table,
)
from epoxy_core.corpus.videos import Video, identified, resolve_videos, task_videos

__all__ = [
    "STDIN",
    "UNUSABLE",
    "Corpus",
    "CorpusReport",
    "Example",
    "NewTexts",
    "Problem",
    "Scanned",
    "SourceFile",
    "Video",
    "content_hash",
    "fetch_source",
    "identified",
    "labels_digest",
    "raw_files",
    "read_corpus",
    "read_texts",
    "refuse_bad_videos",
    "resolve_files",
    "resolve_videos",
    "scan_missing",
    "source_digest",
    "source_files",
    "split_of",
    "task_videos",
    "to_fetch",
    "video_corpus",
    "video_items",
    "videos_table",
]
