"""Who may import whom, read from the source: model <- indexer <- service, and light packages on import."""

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("model", "indexer", "service")
MAY_IMPORT = {"model": {"model"}, "indexer": {"model", "indexer"}, "service": {"model", "indexer", "service"}}
FORBIDDEN = {
    "model": {"faiss", "fastapi", "uvicorn", "starlette", "rasterio", "pmtiles", "sqlite3"},
    "indexer": {"fastapi", "uvicorn", "starlette"},
    "service": {"rasterio", "pmtiles", "faiss"},
}
HEAVY = ("torch", "timm", "faiss", "fastapi", "rasterio", "matplotlib", "pyarrow", "sklearn")
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path):
    """Top-level names that a file imports, at any depth of nesting, as (name, line)."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            yield name.split(".")[0], node.lineno


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows_never_point_back(path):
    package = path.relative_to(ROOT).parts[0]
    for name, line in imported(path):
        assert name not in set(PACKAGES) - MAY_IMPORT[package], f"{path}:{line} imports {name}"
        assert name not in FORBIDDEN[package], f"{path}:{line} imports {name}, which {package} must not"


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_nothing_heavy(package):
    code = f"import sys, {package}; print([name for name in {HEAVY} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).strip() == "[]"


@pytest.mark.parametrize("package", PACKAGES)
def test_help_loads_nothing_heavy(package):
    code = (
        f"import sys, runpy; sys.argv = ['x', '--help']\n"
        f"try: runpy.run_module('{package}', run_name='__main__')\n"
        f"except SystemExit as stop: assert stop.code == 0\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "usage: python -m" in done.stdout
    assert time.monotonic() - started < 30  # a guard against hanging, no measure of speed


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_holds_and_stays_short(path):
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
    assert len(text.splitlines()) <= 400, f"{path} is too long for one idea"


def test_nothing_is_stored_as_pickle():
    for path in SOURCES:
        assert "pickle" not in {name for name, _ in imported(path)}, path
