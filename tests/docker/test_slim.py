"""Slimming removes what only a GPU would use, and nothing else."""

import runpy
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).parents[2] / "docker" / "slim.py"


@pytest.fixture
def site_packages(tmp_path):
    for name in (
        "triton/compiler.py",
        "nvidia/cudnn/lib/libcudnn.so.9",
        "nvidia/cudnn/lib/libcudnn_adv.so.9",
        "nvidia/cu13/include/cublas.h",
        "nvidia/cu13/lib/libcublas.so.13",
        "torch/lib/libtorch_cpu.so",
        "torch/include/torch.h",
        "numpy/core.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(10))
    return tmp_path


def test_only_what_a_cpu_never_loads_is_removed(site_packages):
    script = runpy.run_path(str(_SCRIPT))
    assert [script["remove"](path) > 0 for path in script["unused"](site_packages)] == [True] * 4
    left = {str(path.relative_to(site_packages)) for path in site_packages.rglob("*") if path.is_file()}
    assert left == {
        "nvidia/cudnn/lib/libcudnn.so.9",
        "nvidia/cu13/lib/libcublas.so.13",
        "torch/lib/libtorch_cpu.so",
        "numpy/core.py",
    }
