"""The documentation: readable sources, links that lead somewhere, a site without requests, a tutorial that runs."""

import ast
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import tutorial
from model import Encoder
from model.synthetic.splits import find_split

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TUTORIAL = tutorial.PAGE
LONGEST_LINE, LONGEST_BULLET = 150, 450

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NUMBER = re.compile(r"\d+\.\d+|\d+")
_DIFFERS = re.compile(r"tiles/s|the slowest is|^index  |^encoder  ")
"""Lines that hold times or digests."""


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_no_line_is_wider_than_a_screen(page):
    """But those that a program printed, which are shown as they are."""
    printed = re.compile(r"^```text\n.*?^```$", re.DOTALL | re.MULTILINE)
    lines = printed.sub(lambda block: "\n" * block[0].count("\n"), page.read_text()).splitlines()
    assert [f"{number}: {len(line)}" for number, line in enumerate(lines, 1) if len(line) > LONGEST_LINE] == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_a_bullet_is_no_paragraph(page):
    bullets = re.findall(r"^ *[*-] .*(?:\n(?! *[*-] |\n|```| *\d+\.|#).+)*", page.read_text(), re.MULTILINE)
    assert [bullet[:60] for bullet in bullets if len(bullet) > LONGEST_BULLET] == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_to_files(page):
    targets = [link.split("#")[0] for link in _LINK.findall(page.read_text()) if "://" not in link]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_modules_that_a_page_names_are_there(page):
    named = set(re.findall(r"`((?:model|indexer|service)/[\w/]+\.py)`", page.read_text()))
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_python_on_a_page_imports_public_names_only(page):
    for kind, code in _BLOCK.findall(page.read_text()):
        lines = ast.walk(ast.parse(code)) if kind == "python" else ()
        for line in (node for node in lines if isinstance(node, ast.ImportFrom)):
            if str(line.module).split(".")[0] in ("model", "indexer", "service"):
                public = importlib.import_module(str(line.module)).__all__
                assert "." not in str(line.module)
                assert [alias.name for alias in line.names if alias.name not in public] == []


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("README.md", "real-street"),
        ("docs/README.md", "real-street"),
        ("docs/localize.md", "real-street-16-vectors"),
    ],
)
def test_the_first_lines_say_what_was_measured_with_the_network_that_ships(page, name):
    record = json.loads((ROOT / f"benchmarks/results/{name}.json").read_text())["result"]
    assert record["checkpoint"]["digest"] == Encoder.load("street").digest
    table = record["table"]["gallery of 1676"]
    begin = " ".join((ROOT / page).read_text().split("## ")[0].split())
    said = re.search(r"first for (\d+) %.*?and among (?:the first )?five for (\d+) %", begin)
    assert said is not None
    assert [float(share) for share in said.groups()] == [table["recall@1"][0], table["recall@5"][0]]


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_splits_that_a_page_names_are_there(page):
    for name in set(re.findall(r"world:([\w-]+)", page.read_text())) - {"SPLIT"}:
        find_split(name)


def test_the_site_is_built_strictly_and_asks_nothing_of_the_network(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    built = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True
    )
    assert (built.returncode, built.stderr) == (0, "")
    pages = sorted((tmp_path / "site").rglob("*.html"))
    loads = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*(?:src|href)=[\"']?(?:https?:)?//[^>]*>")
    assert {str(page): loads.findall(page.read_text()) for page in pages if loads.search(page.read_text())} == {}
    styles = [path.read_text() for path in (tmp_path / "site").rglob("*.css")]
    assert not any(re.search(r"url\([\"']?(?:https?:)?//", text) or "@import" in text for text in styles)
    encoder = (tmp_path / "site/reference/model/network.html").read_text()
    assert "model.network.encoder.Encoder.encode_ground" in encoder
    assert "../model/network/clnet.py" not in (tmp_path / "site/decisions/0002-reading-of-clnet.html").read_text()


def run(command: list[str], folder: Path) -> str:
    env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


def test_the_tutorials_python_runs(tmp_path):
    """On a smaller region, which is not calibrated: with its own photo and place."""
    run(
        [sys.executable, "-m", "model", "render", "region", "--out", "region", "--side", "4", "--panoramas", "4"],
        tmp_path,
    )
    run([sys.executable, "-m", "indexer", "build", "--tiles", "region/tiles", "--out", "my-index", "--quiet"], tmp_path)
    photo = next((tmp_path / "region/panoramas").glob("*.jpg"))
    lat, lon = photo.stem.split("_")
    snippets = [code for kind, code, _ in tutorial.steps(TUTORIAL.read_text()) if kind == "python"]
    code = re.sub(r'Path\("region/panoramas/.*?"\)', f'Path("region/panoramas/{photo.name}")', "\n".join(snippets))
    code = re.sub(r"LatLon\(.*?\)", f"LatLon({lat}, {lon})", code)
    printed = run([sys.executable, "-c", code], tmp_path).splitlines()
    assert len(printed) == 4 + 3 + 2 + 1
    assert all(re.fullmatch(r"\d+/\d+/\d+  \d+\.\d m off, confidence None", line) for line in printed[:4])
    assert printed[-1] == "16 tiles indexed, 0 failed"


@pytest.mark.slow
def test_the_tutorial_prints_what_it_says(tmp_path):
    """Every command and snippet, in order, beside what the page shows."""
    todo = tutorial.steps(TUTORIAL.read_text())
    for (_, _, shown), printed in zip(todo, tutorial.outputs(todo, tmp_path), strict=True):
        require_alike(printed, shown)


def require_alike(printed: str, shown: str) -> None:
    """The same lines; a number may differ in what another processor rounds differently."""
    for one, other in zip(printed.splitlines(), shown.splitlines(), strict=True):
        if not _DIFFERS.search(one):
            assert _NUMBER.sub("#", one) == _NUMBER.sub("#", other)
            found, told = ([float(number) for number in _NUMBER.findall(line)] for line in (one, other))
            assert found == pytest.approx(told, rel=0.02, abs=0.02), (one, other)


FOREIGN = ("No module named", "cannot import name", "expected one argument")
"""Beginnings of messages that Python itself prints."""


def strings_of_the_program() -> str:
    """Every string in the code, one a line, with an ellipsis for each value that is put in."""
    found = []
    for package in ("model", "indexer", "service"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.JoinedStr):
                    found.append("".join(getattr(part, "value", "…") if isinstance(part, ast.Constant) else "…"
                                         for part in node.values))  # fmt: skip
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
    return "\n".join(text.replace("\n", " ") for text in found)


def test_messages_of_the_troubleshooting_page_are_messages_of_the_program():
    rows = re.findall(r"^\| (.*?) \|", (ROOT / "docs/troubleshooting.md").read_text(), re.MULTILINE)
    messages = [
        message for row in rows for message in re.findall(r"`([^`]{12,})`", row) if not message.startswith(FOREIGN)
    ]
    program = strings_of_the_program()
    assert len(messages) > 40
    lost = [message for message in messages if not re.search(_pattern(message), program)]
    assert lost == []


def _pattern(message: str) -> str:
    words = re.sub(r"\\?'[^']*'|\d+(\.\d+)*|\.\.\.|…", "\0", message)
    return re.escape(words).replace("\0", ".*").replace("\\\0", ".*")
