import pytest

from model.common.errors import BadDataset
from model.synthetic.splits import CENTRED_MANIFEST, MANIFESTS, SPLITS, TILE_M, find_split


def test_no_test_world_is_trained_on():
    train = set(SPLITS["train"].seeds)
    for name in ("val", "cross-area", "cross-area-grid", "calibration"):
        assert not train & set(SPLITS[name].seeds), name


def test_splits_of_one_world_lie_apart_on_the_plane():
    def gap_m(a, b):
        return max(abs(a.left_m - b.left_m), abs(a.bottom_m - b.bottom_m)) - a.side_m

    pairs = [(a, b) for a in SPLITS["train"].areas() for b in SPLITS["same-area"].areas() if a.seed == b.seed]
    assert len(pairs) == 16 * 2 * 2
    assert min(gap_m(a, b) for a, b in pairs) > 1_000.0


@pytest.mark.parametrize("name", ["val", "same-area", "cross-area"])
def test_a_camera_of_a_test_stands_in_no_other_tile(name):
    split = SPLITS[name]
    assert split.spacing_m - split.reach_m >= TILE_M / 2


def test_a_training_tile_is_centred_on_its_camera_and_may_be_shifted():
    assert SPLITS["train"].centred
    assert SPLITS["train"].overlap_m == 75.0
    assert not SPLITS["val"].centred


def test_a_data_set_is_found_with_its_manifest():
    assert find_split("cross-area") == (SPLITS["cross-area"], "pairs.csv")
    assert find_split("cross-area-centre") == (SPLITS["cross-area"], CENTRED_MANIFEST)
    assert set(SPLITS) < set(MANIFESTS)
    with pytest.raises(
        BadDataset,
        match="no split 'moon'; choose one of train, train-small, train-more, train-further, train-wide, train-wider",
    ):
        find_split("moon")
