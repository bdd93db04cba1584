from pathlib import Path

import pytest

from epoxy_core.embed import runtime
from epoxy_core.errors import EpoxyError


def test_precision():
    assert runtime.resolve_precision("float32", "cpu") == "float32"
    assert runtime.resolve_precision("bfloat16", "cpu") == "bfloat16"
    flags = Path("/proc/cpuinfo").read_text()
    native = "avx512_bf16" in flags or "amx_bf16" in flags
    assert runtime.resolve_precision("auto", "cpu") == ("bfloat16" if native else "float32")
    with pytest.raises(EpoxyError, match="float16"):
        runtime.resolve_precision("float16", "cpu")


@pytest.mark.parametrize(
    ("content", "cpus"),
    [("max 100000", None), ("150000 100000", 2), ("50000 100000", 1), ("", None)],
)
def test_cpu_quota_of_a_container(content, cpus, tmp_path, monkeypatch):
    file = tmp_path / "cpu.max"
    file.write_text(content)
    monkeypatch.setattr(runtime, "_CPU_QUOTA", file)
    assert runtime._cpu_quota() == cpus
