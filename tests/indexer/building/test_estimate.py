from pathlib import Path

import pytest

from indexer.building.estimate import estimate_build
from indexer.building.plan import BuildSpec, make_plan
from indexer.tiles.sources.open_source import open_source
from tests.fakes import FakeEncoder
from tests.indexer.tiny import make_tiles


@pytest.mark.parametrize("columns", [1, 10])
def test_the_estimate_follows_from_the_measured_rate(tmp_path: Path, columns: int) -> None:
    source, encoder, spec = open_source(make_tiles(tmp_path, columns, 1)), FakeEncoder(), BuildSpec(batch_size=2)
    estimate = estimate_build(source, encoder, make_plan(source, encoder, tmp_path / "index", spec), spec)
    assert estimate.tiles_per_s > 0
    assert estimate.minutes == pytest.approx(columns / estimate.tiles_per_s / 60)
    assert estimate.needs.disk > estimate.needs.index > columns * 2 * encoder.dim
