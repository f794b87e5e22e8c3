"""Fixtures that several packages' tests share."""

from pathlib import Path

import pytest

_SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real, openly licensed files beside the checkout; tests that need them skip where they are absent."""
    if not _SHARED_DATA.is_dir():
        pytest.skip("the folder shared/data does not lie beside this checkout")
    return _SHARED_DATA
