"""What was chosen by itself, written and read back."""

import pytest

from epoxy_core.choices import Choice
from epoxy_core.storage.choices import put_choices, read_choices
from epoxy_core.storage.database import Database

SCORED = Choice("one", "b", "Better.", "accuracy", {"a": 0.5, "b": 0.75}, "Look at it.")
PLAIN = Choice("two", "none", "Nothing to choose.")


@pytest.fixture
def database(tmp_path):
    return Database(tmp_path / "labels.duckdb")


def test_choices_read_back(database):
    with database.write() as connection:
        put_choices(connection, [SCORED, PLAIN], ["one", "two"])
    found = {choice.stage: choice for choice in read_choices(database)}
    assert found == {"one": SCORED, "two": PLAIN}
    rows = database.query("SELECT candidate, chosen, value FROM choices WHERE stage = 'one'")
    assert sorted(rows.rows()) == [("a", False, 0.5), ("b", True, 0.75)]


def test_only_the_stages_at_hand_are_replaced(database):
    with database.write() as connection:
        put_choices(connection, [SCORED, PLAIN], ["one", "two"])
    other = Choice("one", "a", "Cheaper.")
    with database.write() as connection:
        put_choices(connection, [other], ["one", "three"])
    assert {choice.stage: choice for choice in read_choices(database)} == {
        "one": other,
        "two": PLAIN,
    }
    with database.write() as connection:
        put_choices(connection, [], ["one"])
    assert read_choices(database) == [PLAIN]
