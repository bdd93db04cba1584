"""The warm relabeling loop: a task in memory, brought up to date at every edit of a heuristic."""

from epoxy_core.session.columns import Column
from epoxy_core.session.loop import Session
from epoxy_core.session.open import open_session
from epoxy_core.session.update import Update

__all__ = ["Column", "Session", "Update", "open_session"]
