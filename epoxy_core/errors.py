"""The one exception a user is meant to read."""


class EpoxyError(Exception):
    """A problem the user can fix.

    Parameters
    ----------
    problem
        What is wrong, in one sentence.
    where
        The file (with line or row, if known), labeling function or setting at fault.
    remedy
        What to do about it.
    """

    def __init__(self, problem: str, *, where: str = "", remedy: str = "") -> None:
        self.problem = problem
        self.where = where
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: {self.problem}" if self.where else self.problem
        return f"{text}\n  → {self.remedy}" if self.remedy else text


class BusyError(EpoxyError):
    """Another process is in the way: waiting, or asking again later, may be all it takes."""


class UnavailableError(EpoxyError):
    """What must be downloaded is out of reach."""
