"""Matrix products on one thread: small ones, and such as threads of ours share out."""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any


def one_thread() -> AbstractContextManager[object]:
    """Have the libraries behind NumPy's matrix products use one thread meanwhile.

    Two threads of theirs wait for one another at every product; for those of a label model, and
    where other work wants the cores, that takes longer than the product.
    """
    return _libraries().limit(limits=1, user_api="blas")  # type: ignore[no-any-return]


@cache
def _libraries() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
