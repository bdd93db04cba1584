"""The code version of a labeling function: a digest of what can change its votes."""

from collections.abc import Sequence

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling.encoder import Encoder
from epoxy_core.labeling.lf import LabelingFunction
from epoxy_core.labeling.modules import TaskModules
from epoxy_core.labeling.values import Memo, OpaqueError
from epoxy_core.labeling.votes import VoteReader


def fingerprint(lf: LabelingFunction, classes: Sequence[str], memo: Memo | None = None) -> str:
    """Digest of everything that can change the votes of ``lf``, and of nothing else.

    It covers the function's source without comments, docstrings, formatting and annotations;
    every module-level name it reads, transitively: helper functions and classes in the task's
    files, constants of any plain data type, closures, defaults, partials, decorators; ``vote``,
    ``probability`` and the class names; the content of ``files``; other libraries by name and
    version. It is the same in every process, wherever the task folder lies. Data count as they
    are after the task's file was executed: code that fills a global later is covered, its cache
    is not.

    Parameters
    ----------
    lf
        With ``folder`` set, if it declares files.
    classes
        Class names in order: they decide which vote a name means.
    memo
        Shared by the calls of one load: large constants are then read once.

    Raises
    ------
    EpoxyError
        If a declared file cannot be read, or a value that the function reads has no content that
        could be compared between processes (a lock, an open file, a model from C code, …).
    """
    reader = VoteReader(classes)
    folder = lf.folder.resolve()
    encoder = Encoder(
        folder,
        TaskModules.package_of(folder),
        {} if memo is None else memo,
        lambda vote: vote if (symbol := reader.symbol(vote)) is None else symbol,
    )
    try:
        digest = encoder.encode([list(classes), lf])
    except OpaqueError as error:
        trail = " → ".join(filter(None, error.trail)) or "a value"
        kind = type(error.value)
        raise EpoxyError(
            f"{lf.name!r} reads {trail}, a {kind.__module__}.{kind.__qualname__} whose content "
            f"cannot be compared between runs: {error}",
            where=str(lf.location or lf.name),
            remedy="Make it inside a function decorated with @functools.cache (then the code that "
            "makes it counts), or keep it as plain data.",
        ) from error
    except OSError as error:
        raise EpoxyError(
            f"a file that {lf.name!r} declares cannot be read: {error}",
            where=str(lf.location or lf.name),
            remedy="files=(…) are relative to the task folder; mend the name or add the file.",
        ) from error
    return digest.hex()
