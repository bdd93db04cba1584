"""The product's side of a measurement: ``python -m benchmarks.speed.worker STAGE JOB``."""

import importlib
import sys

from benchmarks.speed.peers.inside import answer
from epoxy_core.cpu import choose_kernels

if __name__ == "__main__":
    choose_kernels()
    stage = importlib.import_module(f"benchmarks.speed.{sys.argv[1]}")
    answer(stage.ENGINES, sys.argv[2])
