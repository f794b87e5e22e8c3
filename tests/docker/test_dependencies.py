"""The image's requirement list follows pyproject.toml."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).parents[2] / "docker" / "dependencies.py"

PROJECT = {
    "dependencies": ["torch>=2", "faiss-cpu>=1; extra != 'gpu'", "uvloop>=0; sys_platform == 'linux'"],
    "optional-dependencies": {"gpu": ["faiss-gpu>=1"], "geo": ["rasterio>=1"]},
}


@pytest.fixture(scope="module")
def requirements():
    return runpy.run_path(str(_SCRIPT))["requirements"]


def test_extras_are_added(requirements):
    expected = ["torch>=2", "faiss-cpu>=1", "uvloop>=0; sys_platform == 'linux'", "rasterio>=1"]
    assert list(requirements(PROJECT, ["geo"])) == expected


def test_extra_takes_the_place_of_what_it_replaces(requirements):
    listed = list(requirements(PROJECT, ["geo", "gpu"]))
    assert "faiss-gpu>=1" in listed
    assert not any("faiss-cpu" in line for line in listed)


def test_unknown_extra_is_an_error(requirements):
    with pytest.raises(KeyError):
        list(requirements(PROJECT, ["gpx"]))


def test_the_cpu_image_has_one_gdal(requirements):
    project = tomllib.loads(_SCRIPT.parents[1].joinpath("pyproject.toml").read_text())["project"]
    asked = re.search(r"dependencies\.py (.*) \$\{EXTRAS\}", _SCRIPT.parents[1].joinpath("Dockerfile").read_text())
    assert asked is not None
    listed = {re.split("[<>=; ]", line)[0] for line in requirements(project, asked[1].split())}
    assert listed >= {"rasterio", "onnxruntime", "fastapi"}
    assert not listed & {"pyogrio", "torch"}
