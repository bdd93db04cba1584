"""Raw text and gold labels → items; see `read_corpus`. Other texts: `read_texts`."""

from epoxy_core.corpus.fetch import fetch_source
from epoxy_core.corpus.files import SourceFile, labels_digest, resolve_files, source_digest
from epoxy_core.corpus.gold import split_of
from epoxy_core.corpus.new_texts import STDIN, NewTexts, read_texts
from epoxy_core.corpus.report import CorpusReport, Example, Problem
from epoxy_core.corpus.text import Corpus, content_hash, read_corpus

__all__ = [
    "STDIN",
    "Corpus",
    "CorpusReport",
    "Example",
    "NewTexts",
    "Problem",
    "SourceFile",
    "content_hash",
    "fetch_source",
    "labels_digest",
    "read_corpus",
    "read_texts",
    "resolve_files",
    "source_digest",
    "split_of",
]
