"""What `mkdocs` calls while it builds the site: pages of API reference, and links that leave `docs/`.

One page for each stage folder and each package, made from the docstrings of the modules in it.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

_ROOT = Path(__file__).parents[1]
_PACKAGES = ("model", "indexer", "service")
_OUTSIDE = re.compile(r"\[([^\]]*)\]\((?:\.\./)+((?!decisions|results)[\w./-]+)\)")


def pages() -> dict[str, str]:
    """The reference: page -> its Markdown."""
    found = {}
    for package in _PACKAGES:
        found[f"reference/{package}.md"] = _page(package, [package, *_modules(package, "*.py")])
        for folder in sorted((_ROOT / package).iterdir()):
            if (folder / "__init__.py").is_file():
                stage = f"{package}.{folder.name}"
                found[f"reference/{package}/{folder.name}.md"] = _page(stage, [stage, *_modules(stage, "**/*.py")])
    return found


def _modules(folder: str, pattern: str) -> list[str]:
    """Dotted names of the modules below a package, without those that only run."""
    paths = sorted((_ROOT / folder.replace(".", "/")).glob(pattern))
    return [".".join(path.relative_to(_ROOT).with_suffix("").parts) for path in paths if not path.stem.startswith("_")]


def _page(title: str, modules: list[str]) -> str:
    options = "    options:\n      members: false\n"
    face, *others = modules
    return "\n".join([f"# {title}\n", f"::: {face}\n{options}", *(f"::: {name}\n" for name in others)])


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put decisions and reference into the navigation."""
    decisions = sorted(path.name for path in (_ROOT / "docs/decisions").glob("*.md"))
    reference = [
        {package: [page for page in pages() if page.startswith((f"reference/{package}.", f"reference/{package}/"))]}
        for package in _PACKAGES
    ]
    assert config.nav is not None
    config.nav += [{"Decisions": [f"decisions/{name}" for name in decisions]}, {"API reference": reference}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the reference."""
    for uri, text in pages().items():
        files.append(File.generated(config, uri, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Name files of the repository in place of links that the site cannot follow."""
    return _OUTSIDE.sub(r"\1 (`\2`)", markdown)
