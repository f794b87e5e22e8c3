"""The front door: what `from model import ...` and `from indexer import ...` give, and what they cost."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from model.common.errors import MissingExtra

ROOT = Path(__file__).parents[1]
PACKAGES = ("model", "indexer")


def python(code: str, *, cwd: Path = ROOT) -> str:
    return subprocess.check_output([sys.executable, "-c", code], cwd=cwd, text=True).strip()


def imported_for_types(package: str) -> dict[str, str]:
    """Public name -> module, as a type checker reads them in the package's face."""
    tree = ast.parse((ROOT / package / "__init__.py").read_text())
    blocks = [
        node for node in tree.body if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
    ]
    lines = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(line.module) for line in lines for alias in line.names}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_what_its_module_defines(package):
    face = importlib.import_module(package)
    typed = imported_for_types(package)
    assert sorted([*typed, "__version__"]) == sorted(face.__all__)
    for name, module in typed.items():
        assert getattr(face, name) is getattr(importlib.import_module(module), name), name
    assert set(face.__all__) <= set(dir(face))


@pytest.mark.parametrize("package", PACKAGES)
def test_the_promise_names_every_public_name(package):
    text = (ROOT / "docs/api.md").read_text()
    promised = set(re.findall(r"`(\w+)`", text))
    assert set(importlib.import_module(package).__all__) - {"__version__"} <= promised


@pytest.mark.parametrize("package", PACKAGES)
def test_a_name_that_is_none_is_an_ordinary_attribute_error(package):
    face = importlib.import_module(package)
    assert not hasattr(face, "Nothing")
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'Nothing'"):
        face.Nothing  # noqa: B018


@pytest.mark.parametrize(
    ("package", "name", "stays_out"),
    [
        ("model", "LatLon", "torch"),
        ("model", "open_pairs", "torch"),
        ("model", "Encoder", "torch"),
        ("indexer", "CircleRegion", "faiss"),
    ],
)
def test_a_light_name_stays_light(package, name, stays_out):
    assert python(f"import sys; from {package} import {name}; print({stays_out!r} in sys.modules)") == "False"


@pytest.mark.parametrize(
    ("package", "name", "library", "remedy"),
    [
        ("model", "train", "torch", "pip install 'clnet-geolocalization[train]'"),
        ("model", "CLNet", "timm", "pip install 'clnet-geolocalization[train]'"),
        ("indexer", "TileIndex", "pyarrow", "pip install clnet-geolocalization"),
    ],
)
def test_a_name_whose_library_is_missing_says_what_to_install(package, name, library, remedy):
    code = (
        f"import sys; sys.modules[{library!r}] = None\n"
        f"from model.common.errors import MissingExtra\n"
        f"try:\n    from {package} import {name}\n"
        f"except MissingExtra as error: print(error)"
    )
    assert python(code) == f"{package}.{name} needs {library}, which is not installed; run `{remedy}`"


def test_an_error_of_our_own_is_not_taken_for_a_missing_library():
    from model.common.lazy import lazy_names

    find, _ = lazy_names("model", {"model.no_such_module": ("Thing",)})
    with pytest.raises(ModuleNotFoundError, match=r"model\.no_such_module") as caught:
        find("Thing")
    assert not isinstance(caught.value, MissingExtra)
