"""What the house promises, read from the source: who may import whom, one stage a folder, tests beside modules, docs.

`model <- indexer <- service`; within a package a stage may import the stages before it in `STAGES`, and no later one.
"""

import ast
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
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
STAGES = {
    "model": "_version common inputs network synthetic data evaluation training commands __init__ __main__",
    "indexer": "common tiles index confidence milvus localization pairs building lifecycle distributed commands "
    "__init__ __main__",
    "service": "prefix settings errors metrics telemetry logs keys access concurrency following index_guard middleware "
    "uploads forms memory_bound first_start corpus explaining answering schemas engine geojson formats schemas_explain "
    "schemas_many problem_examples dependencies routes corpus_routes explain_routes many_routes together examples "
    "openapi docs_page page app server client demo __init__ __main__",
}
"""Each package's parts in the order of the data's way; a part may import those to its left."""
FLAT = {
    "model": {"__init__.py", "__main__.py", "_version.py", "py.typed"},
    "indexer": {"__init__.py", "__main__.py", "py.typed"},
}
NEEDS_TORCH = (
    "model.common.devices",
    *(
        f"model.network.{name}"
        for name in ("averaging", "backbones", "checkpoints", "clnet", "explanation", "export", "forward")
    ),
    *(f"model.network.{name}" for name in ("import_sample4geo", "polar", "pretrained", "sweep", "torch_files")),
    "model.network.engines.recorded",
    "model.network.engines.torch_engine",
    "model.data.hard_negatives",
    "model.data.loaders",
    "model.evaluation.publish_exports",
    "model.training",
)
"""Modules that are imported only where torch is installed; a name ending in a folder stands for all in it."""
TRAINING_LIBRARIES = {"torch", "torchvision", "timm", "safetensors", "onnx", "onnxscript"}
NUMPY_FOR_HELP = ("evaluate", "render pairs", "render region", "pairs", "build", "add", "calibrate")
"""Commands whose options are checked by what is also there for arrays."""
MIRRORED = 0.9
DOCUMENTED = 0.95
NOT_YET: set[tuple[str, str]] = set()
"""Arrows that still point back: (module, stage)."""

SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
FOLDERS = sorted({path.parent for path in SOURCES})


def name_of(path: Path) -> str:
    """A file's dotted name; a folder's for its `__init__.py`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in SOURCES}


@cache
def imports(path: Path) -> tuple[tuple[str, int], ...]:
    """Dotted names that a file imports, as (name, line), at any depth of nesting and those for type checking, too."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.append((whole if whole in MODULES else str(node.module), node.lineno))
    return tuple(found)


def project_imports(path: Path) -> Iterator[tuple[str, int]]:
    """Those of them that are modules or packages of the project."""
    return ((name, line) for name, line in imports(path) if name in MODULES)


def stage_of(module: str) -> str:
    """The part of its package that a module belongs to."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def cycle_in(arrows: dict[str, set[str]]) -> list[str]:
    """One way round in a graph, or nothing."""
    done: set[str] = set()

    def search(node: str, trail: list[str]) -> list[str]:
        if node in trail:
            return [*trail[trail.index(node) :], node]
        if node not in done:
            for target in sorted(arrows.get(node, ())):
                if found := search(target, [*trail, node]):
                    return found
            done.add(node)
        return []

    return next((found for node in sorted(arrows) if (found := search(node, []))), [])


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_arrows_never_point_back(path):
    package = path.relative_to(ROOT).parts[0]
    for name, line in imports(path):
        top = name.split(".")[0]
        assert top not in set(PACKAGES) - MAY_IMPORT[package], f"{path}:{line} imports {name}"
        assert top not in FORBIDDEN[package], f"{path}:{line} imports {name}, which {package} must not"


def needs_torch(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in NEEDS_TORCH)


def imports_on_loading(path: Path) -> set[str]:
    """What is imported when a module is: outside of functions and of `if TYPE_CHECKING`."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_what_places_a_photo_is_imported_without_torch(path):
    module = name_of(path)
    if not needs_torch(module):
        loaded = imports_on_loading(path)
        assert {name.split(".")[0] for name in loaded} & TRAINING_LIBRARIES == set(), f"{module} loads them"
        assert [name for name in loaded if needs_torch(name)] == [], f"{module} loads modules that load torch"


@pytest.mark.parametrize("name", NEEDS_TORCH)
def test_the_list_of_what_needs_torch_is_not_longer_than_it_must_be(name):
    below = [path for module, path in MODULES.items() if module == name or module.startswith(f"{name}.")]
    loaded = set().union(*(imports_on_loading(path) for path in below))
    assert {one.split(".")[0] for one in loaded} & TRAINING_LIBRARIES or any(needs_torch(one) for one in loaded)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_part_of_a_package_has_its_place_in_the_order(package):
    parts = {path.stem if path.is_file() else path.name for path in (ROOT / package).iterdir()
             if path.suffix == ".py" or (path.is_dir() and list(path.rglob("*.py")))}  # fmt: skip
    assert parts - set(STAGES[package].split()) == set(), "give it a place in STAGES"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_no_arrow_points_back_between_stages(path):
    module = name_of(path)
    package, own = module.split(".")[0], stage_of(module)
    order = STAGES[package].split()
    for name, line in project_imports(path):
        stage = stage_of(name)
        if name.split(".")[0] == package and (module, f"{package}.{stage}") not in NOT_YET:
            assert order.index(stage) <= order.index(own), (
                f"{relative(path)}:{line} imports {name}; {own} comes before {stage}"
            )


@pytest.mark.parametrize("folder", FOLDERS, ids=relative)
def test_the_parts_of_a_folder_import_each_other_one_way_only(folder):
    """Modules and subfolders alike: neither two modules nor two folders stand in a circle."""
    prefix = f"{name_of(folder / '__init__.py')}."
    arrows = defaultdict(set)
    for path in folder.rglob("*.py"):
        module = name_of(path)
        if not module.startswith(prefix):
            continue  # the face of the folder itself
        own = module.removeprefix(prefix).split(".")[0]
        for name, _ in project_imports(path):
            part = name.removeprefix(prefix).split(".")[0]
            if name.startswith(prefix) and part != own and (module, f"{prefix}{part}") not in NOT_YET:
                arrows[own].add(part)
    assert cycle_in(arrows) == []


def test_a_circle_would_be_found():
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert cycle_in({"a": {"b", "c"}, "b": {"c"}}) == []


@pytest.mark.parametrize("package", sorted(FLAT))
def test_no_module_lies_flat_in_a_package(package):
    files = {path.name for path in (ROOT / package).iterdir() if path.is_file()}
    assert files - FLAT[package] == set(), "put it into the folder of its stage"


@pytest.mark.parametrize("package", PACKAGES)
def test_nobody_but_its_own_package_imports_the_commands(package):
    """What two packages share is no command line."""
    for path in (ROOT / package).rglob("*.py"):
        foreign = [name for name, _ in project_imports(path) if name.split(".")[0] != package]
        assert [name for name in foreign if stage_of(name) in ("commands", "__main__")] == [], path


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_have_a_test_of_their_own(package):
    modules = [path for path in (ROOT / package).rglob("*.py") if path.name not in ("__init__.py", "_version.py")]
    bare = sorted(relative(path) for path in modules if not _is_mirrored(path))
    assert len(bare) <= (1 - MIRRORED) * len(modules), bare


def _is_mirrored(path: Path) -> bool:
    """Whether there are tests at the mirrored place."""
    test = ROOT / "tests" / path.relative_to(ROOT).parent / f"test_{path.stem.strip('_')}.py"
    return test.is_file() and "def test_" in test.read_text()


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_are_documented(package):
    public = [
        (f"{relative(path)}: {name}", node)
        for path in (ROOT / package).rglob("*.py")
        for name, node in _public(ast.parse(path.read_text()).body)
    ]
    bare = [where for where, node in public if not ast.get_docstring(node)]
    assert len(bare) <= (1 - DOCUMENTED) * len(public), bare


def _public(body, prefix=""):
    """Functions, classes and methods whose names have no underscore in front, those of public classes included."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body, f"{prefix}{node.name}.")


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_nothing_heavy(package):
    code = f"import sys, {package}; print([name for name in {HEAVY} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).strip() == "[]"


def test_importing_the_packages_loads_hardly_anything_of_pythons_own():
    """Without `site`, which may load some of these itself."""
    slow = ("pathlib", "typing", "re", "contextlib", "dataclasses", "collections", "urllib", "logging", "argparse")
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import model, indexer, service\n"
    code += f"print([name for name in {slow} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-S", "-c", code], text=True).strip() == "[]"


@pytest.mark.parametrize(
    ("package", "words"),
    [
        *((package, "") for package in PACKAGES),
        ("service", "up"),
        *(("model", words) for words in ("train", "evaluate", "check-data", "export", "info")),
        *(("model", words) for words in ("render pairs", "render region", "import sample4geo")),
        *(("indexer", words) for words in ("pairs", "build", "add", "update", "remove", "merge", "split", "compact")),
        *(("indexer", words) for words in ("export", "publish", "localize", "search", "calibrate", "info", "verify")),
    ],
)
def test_help_loads_nothing_heavy(package, words):
    heavy = (*HEAVY, "pydantic", "scipy", "uvicorn", "tqdm", "PIL", *(() if words in NUMPY_FOR_HELP else ("numpy",)))
    code = (
        f"import sys, runpy; sys.argv = ['x', *{words.split()}, '--help']\n"
        f"try: runpy.run_module('{package}', run_name='__main__')\n"
        f"except SystemExit as stop: assert stop.code == 0\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True)
    assert done.stderr.strip() == "[]"
    assert f"usage: python -m {package} {words}".strip() in done.stdout
    assert time.monotonic() - started < 30  # a guard against hanging, no measure of speed


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_every_module_says_what_it_holds_and_stays_short(path):
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
    assert len(text.splitlines()) <= 400, f"{path} is too long for one idea"


def test_nothing_is_stored_as_pickle():
    for path in SOURCES:
        assert "pickle" not in {name.split(".")[0] for name, _ in imports(path)}, path
