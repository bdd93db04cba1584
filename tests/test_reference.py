"""The reference pages say what the code says."""

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize(
    ("page", "function"),
    [("task.md", "settings_page"), ("tables.md", "tables_page"), ("video.md", "video_page")],
)
def test_page_is_current(page, function):
    reference = runpy.run_path(str(DOCS / "reference.py"))
    assert (DOCS / page).read_text() == reference[function](), "run: python docs/reference.py"
