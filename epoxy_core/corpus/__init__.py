"""Raw text and gold labels → items; see `read_corpus`."""

from epoxy_core.corpus.fetch import fetch_source
from epoxy_core.corpus.files import SourceFile, labels_digest, resolve_files, source_digest
from epoxy_core.corpus.gold import split_of
from epoxy_core.corpus.report import CorpusReport, Example, Problem
from epoxy_core.corpus.text import Corpus, content_hash, read_corpus

__all__ = [
    "Corpus",
    "CorpusReport",
    "Example",
    "Problem",
    "SourceFile",
    "content_hash",
    "fetch_source",
    "labels_digest",
    "read_corpus",
    "resolve_files",
    "source_digest",
    "split_of",
]
