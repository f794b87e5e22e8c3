"""Fixtures that several packages' tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

_SAID_ALOUD = ("no Chromium", "no Milvus")
_SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def _own_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What services measure at their first start is remembered among the tests' files, not among the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real, openly licensed files beside the checkout; tests that need them skip where they are absent."""
    if not _SHARED_DATA.is_dir():
        pytest.skip("the folder shared/data does not lie beside this checkout")
    return _SHARED_DATA


def pytest_terminal_summary(terminalreporter) -> None:
    """Say aloud that the page was not tested where there is no browser, and a database where its client is missing."""
    skipped = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", ()) if report.longrepr]
    for reason in sorted({reason for reason in skipped if any(one in reason for one in _SAID_ALOUD)}):
        terminalreporter.write_line(reason, yellow=True, bold=True)
