"""Text files line by line, with undecodable bytes marked instead of raised."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from epoxy_core.errors import EpoxyError

MARK = "\udcff"
"""Stands for undecodable bytes: a lone surrogate, which no decoded text can contain."""

_HANDLER = "epoxy_corpus.mark"


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return MARK, error.end


codecs.register_error(_HANDLER, _mark)


def is_utf8(encoding: str) -> bool:
    """Whether ``encoding`` is a name of UTF-8.

    Raises
    ------
    EpoxyError
        If Python knows no text encoding of that name.
    """
    try:
        "".encode(encoding)
        return codecs.lookup(encoding).name in {"utf-8", "utf-8-sig"}
    except LookupError as error:
        raise EpoxyError(
            f"unknown text encoding {encoding!r}",
            where="source.encoding",
            remedy="Use a name Python knows: utf-8, latin-1, cp1252, utf-16, …",
        ) from error


def text_lines(path: Path, encoding: str) -> Iterator[str]:
    r"""Lines of a file, split at ``\n`` only, line ends kept, a byte order mark removed.

    Undecodable bytes become `MARK`.
    """
    with path.open(encoding=encoding, errors=_HANDLER, newline="\n") as stream:
        first = stream.readline().removeprefix("\ufeff")
        if first:
            yield first
        yield from stream
