"""What the CPU image leaves out is named as it is called, is needed by nothing that stays, and the rest is imported."""

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_architecture import MODULES, NEEDS_TORCH, imports

ROOT = Path(__file__).parents[2]
_EXTRAS = {"botocore", "huggingface_hub", "matplotlib", "opentelemetry", "pymilvus", "lance", "ray", "safetensors"}
"""Libraries of modules that the image has, and which only extras bring."""


@pytest.fixture(scope="module")
def slim():
    return runpy.run_path(str(ROOT / "docker" / "slim.py"))


@pytest.fixture
def site(tmp_path):
    (tmp_path / "library" / "tests").mkdir(parents=True)
    (tmp_path / "library" / "tests" / "test_it.py").touch()
    (tmp_path / "library" / "kept.py").touch()
    return tmp_path


def compiled(path: Path, *linked: Path) -> Path:
    """A shared library that is linked with others."""
    source = path.with_suffix(".c")
    source.write_text("int zero(void) { return 0; }\n")
    options = ["-g", "-shared", f"-Wl,--no-as-needed,-soname,{path.name}"]
    subprocess.run(["gcc", *options, "-o", path, source, *linked], check=True)
    return path


def test_what_is_named_goes_and_the_rest_stays(slim, site):
    slim["remove"](site, ("**/tests", "**/test_*.py"))
    assert [path.name for path in sorted(site.rglob("*"))] == ["library", "kept.py"]


def test_what_is_not_there_stops_the_build(slim, site):
    with pytest.raises(SystemExit, match=r"has no library/gone\.\*: take that line out of .*slim\.py, or say what it"):
        slim["remove"](site, ("library/gone.*",))


@pytest.mark.skipif(not (shutil.which("gcc") and shutil.which("readelf")), reason="needs gcc and binutils")
def test_what_something_else_is_linked_with_stops_the_build(slim, site):
    kept = compiled(site / "libkept.so", compiled(site / "libgone.so"))
    with pytest.raises(SystemExit, match=f"{kept} needs .*libgone.so, which .* takes out: leave it in"):
        slim["remove"](site, ("libgone.so",))


@pytest.mark.skipif(not (shutil.which("gcc") and shutil.which("strip")), reason="needs gcc and binutils")
def test_a_stripped_library_is_smaller_and_others_are_left(slim, site):
    libraries = [compiled(site / folder / "lib.so") for folder in ("library", "library/tests")]
    other = compiled(site / "other.so")
    before = [path.stat().st_size for path in (*libraries, other)]
    slim["strip"](site, ("library",))
    after = [path.stat().st_size for path in (*libraries, other)]
    assert after[0] < before[0]
    assert after[1] < before[1]
    assert after[2] == before[2]


def test_each_library_of_the_image_is_imported_once_it_is_slim(slim):
    named = {name.split(".")[0] for name in slim["USED"]}
    through_others = {"annotated_types", "fastapi", "pyarrow", "pydantic", "starlette"}
    wanted = {
        name.split(".")[0]
        for module, path in MODULES.items()
        if not module.startswith(NEEDS_TORCH)
        for name, _ in imports(path)
    }
    known = {*sys.stdlib_module_names, "model", "indexer", "service", "clnet_geolocalization", "torch", "timm"}
    assert wanted - known - _EXTRAS - through_others <= named
