import sys
from pathlib import Path

import pytest

from benchmarks.quality.peers import RUNNER, Peers
from epoxy_core.errors import EpoxyError


def test_an_environment_without_the_peers_is_named():
    """This suite's own environment has no Snorkel."""
    with pytest.raises(EpoxyError, match="No module named") as error, Peers(Path(sys.executable)):
        pass
    assert "requirements.txt" in str(error.value)
    assert sys.executable in str(error.value)


def test_an_absent_python_is_named(tmp_path):
    with pytest.raises(EpoxyError, match="nowhere"), Peers(tmp_path / "nowhere"):
        pass


def test_requirements_are_pinned():
    lines = (RUNNER.parent / "requirements.txt").read_text().splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    assert packages
    assert all(package.count("==") == 1 for package in packages)
