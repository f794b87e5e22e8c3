from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.building.plan import BuildSpec, make_plan
from indexer.common.errors import BadSource
from indexer.tiles.sources.open_source import open_source
from tests.fakes import FakeEncoder
from tests.indexer.tiny import encoded, make_tiles
from tests.inputs.making import write_mbtiles


def test_tiles_are_put_along_the_curve(tmp_path: Path) -> None:
    plan = make_plan(open_source(make_tiles(tmp_path / "t", 5, 5)), FakeEncoder(), tmp_path / "index", BuildSpec())
    assert (np.diff(plan.tiles.curve_keys) > 0).all()
    assert plan.source_bytes == sum(len(encoded(seed)) for seed in range(25))


def test_a_source_below_the_indexs_parent_is_named_relative_to_it(tmp_path: Path) -> None:
    source = open_source(make_tiles(tmp_path / "data" / "tiles"))
    assert make_plan(source, FakeEncoder(), tmp_path / "index", BuildSpec()).source["path"] == "data/tiles"
    elsewhere = make_plan(source, FakeEncoder(), tmp_path / "other" / "index", BuildSpec()).source["path"]
    assert elsewhere == str(tmp_path / "data" / "tiles")


def test_workers_do_not_change_the_identity_but_batches_do() -> None:
    assert BuildSpec(workers=1).identity() == BuildSpec(workers=9).identity()
    assert BuildSpec(batch_size=1).identity() != BuildSpec().identity()


def test_two_tiles_of_one_name_are_refused(tmp_path: Path) -> None:
    source = open_source(write_mbtiles(tmp_path / "a.mbtiles", [(15, 3, 4), (15, 3, 5)], {"format": "png"}))
    listing = source.list_tiles()
    source.list_tiles = lambda: replace(listing, table=listing.table.take(np.array([0, 1, 0])))
    with pytest.raises(BadSource, match=r"names tile 15/3/\d+ 2 times"):
        make_plan(source, FakeEncoder(), tmp_path / "index", BuildSpec())


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"shard_tiles": 0}, {"workers": 0}])
def test_specifications_that_cannot_be_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(BadSource):
        BuildSpec(**wrong)
