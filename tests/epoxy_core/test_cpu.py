"""AVX-512 kernels are chosen where OpenBLAS would not, and nowhere else."""

import pytest

from epoxy_core.cpu import choose_kernels

FLAGS = "fpu avx2 avx512f avx512dq avx512bw avx512vl"


def cpuinfo(tmp_path, vendor, flags):
    file = tmp_path / "cpuinfo"
    cores = [f"processor\t: {i}\nvendor_id\t: {vendor}\nflags\t\t: {flags}\n" for i in range(2)]
    file.write_text("\n".join(cores))
    return file


@pytest.mark.parametrize(
    ("vendor", "flags", "set_already", "expected"),
    [
        ("AuthenticAMD", FLAGS, {}, {"OPENBLAS_CORETYPE": "SKYLAKEX"}),
        ("AuthenticAMD", FLAGS, {"OPENBLAS_CORETYPE": "ZEN"}, {"OPENBLAS_CORETYPE": "ZEN"}),
        ("AuthenticAMD", FLAGS.replace("avx512vl", ""), {}, {}),
        ("AuthenticAMD", "fpu avx2", {}, {}),
        ("GenuineIntel", FLAGS, {}, {}),
    ],
)
def test_choice(tmp_path, vendor, flags, set_already, expected):
    choose_kernels(set_already, cpuinfo(tmp_path, vendor, flags))
    assert set_already == expected


def test_no_cpuinfo(tmp_path):
    environment: dict[str, str] = {}
    choose_kernels(environment, tmp_path / "absent")
    assert environment == {}
