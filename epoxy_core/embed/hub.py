"""One question to the model hub before anything is loaded from it."""

import logging

from epoxy_core.errors import EpoxyError

_TIMEOUT = 10.0


def hub_commit(name: str, revision: str = "main") -> str | None:
    """Ask the hub which commit a revision is, once and with a short timeout.

    The loaders themselves ask for every file, with retries, and take a minute to say that there
    is no network.

    Returns
    -------
    str or None
        The commit; None when there is no answer, so that only the hub's local cache is left.

    Raises
    ------
    EpoxyError
        If the hub answers that there is no such model or revision.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        return HfApi().model_info(name, revision=revision, timeout=_TIMEOUT).sha
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise EpoxyError(
            f"the model hub has no {name} at revision {revision}, or it is private",
            where="embedding.model",
            remedy="Correct the name, log in, use a folder that holds the model, or leave "
            "embedding.model out for the packaged one.",
        ) from error
    except Exception as error:  # any failure to get an answer
        logging.getLogger(__name__).warning("The model hub: %s", first_line(error))
        return None


def first_line(error: Exception) -> str:
    """What an exception of a library says, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
