import numpy as np
import pytest
from scipy.io import loadmat, savemat

from model.common.errors import BadDataset
from model.common.geo import great_circle_m
from model.data.benchmarks.cvact import CVACT
from model.data.sources import open_pairs
from model.evaluation.ground_truth import GroundTruth, RadiusIndex
from tests.model.data.benchmarks.trees import cvact_ids, write_cvact

IDS = cvact_ids(6)


def open_split(root, split):
    return open_pairs(f"cvact:{split}?root={root}")


def rewrite(root, **change):
    """The .mat file again, with some entries changed."""
    content = {key: value for key, value in loadmat(root / "ACT_data.mat").items() if not key.startswith("__")}
    savemat(root / "ACT_data.mat", {key: value for key, value in {**content, **change}.items() if value is not None})


def test_members_are_counted_from_one_and_come_in_their_order(tmp_path):
    pairs = open_split(write_cvact(tmp_path), "train")
    assert [query.path.relative_to(tmp_path).as_posix() for query in pairs.queries] == [
        f"ANU_data_small/streetview/{IDS[2]}_grdView.jpg",
        f"ANU_data_small/streetview/{IDS[0]}_grdView.jpg",
    ]
    assert pairs.references[0].path == tmp_path / f"ANU_data_small/satview_polish/{IDS[2]}_satView_polish.jpg"
    assert pairs.positives.tolist() == [0, 1]
    assert len(IDS[0]) == 22


def test_the_test_split_lies_in_a_folder_of_its_own(tmp_path):
    pairs = open_split(write_cvact(tmp_path), "test")
    assert [query.path.name[:22] for query in pairs.queries] == [IDS[1], IDS[5], IDS[3], IDS[4]]
    assert {query.path.parts[-3] for query in pairs.queries} == {"ANU_data_test"}


@pytest.mark.parametrize("swapped", [False, True])
def test_utm_becomes_coordinates_whichever_column_comes_first(tmp_path, swapped):
    pairs = open_split(write_cvact(tmp_path, swapped=swapped), "train")
    first, third = pairs.queries[1].location, pairs.queries[0].location
    assert (first.lat, first.lon) == pytest.approx((-35.3, 149.1), abs=1e-7)
    assert great_circle_m(first, third) == pytest.approx(6.0, rel=0.006)
    assert pairs.references[0].location == third


def test_positives_within_five_metres_are_told_by_the_files_own_metres(tmp_path):
    pairs = open_split(write_cvact(tmp_path), "test")  # at 3, 15, 9 and 12 m along a line
    nearby = RadiusIndex(GroundTruth.of(pairs))
    assert [nearby.rows(query, 5.0).tolist() for query in range(4)] == [[0], [1, 3], [2, 3], [1, 2, 3]]
    assert [nearby.rows(query, 2.9).tolist() for query in range(4)] == [[0], [1], [2], [3]]


def test_without_its_list_the_test_split_is_what_its_folders_hold_in_pairs(tmp_path):
    root = write_cvact(tmp_path, mat=False)
    (root / "ANU_data_test/satview_polish" / f"{IDS[3]}_satView_polish.jpg").unlink()
    (root / "ANU_data_test/streetview/._junk_grdView.jpg").write_bytes(b"x")
    pairs = open_split(root, "test")
    assert [query.path.name[:22] for query in pairs.queries] == [IDS[1], IDS[4], IDS[5]]
    assert (pairs.queries[0].location, pairs.query_xy_m) == (None, None)
    notes = "\n".join(CVACT.read(root, "test", {}).notes)
    assert "there is no ACT_data.mat" in notes
    assert f"1 pictures in {root / 'ANU_data_test'} lack their other view, first {IDS[3]}" in notes
    with pytest.raises(BadDataset, match=r"there is no .*ACT_data\.mat, which says which pairs belong to val"):
        open_split(root, "val")


def test_empty_test_folders_are_an_error(tmp_path):
    (tmp_path / "ANU_data_test").mkdir()
    with pytest.raises(BadDataset, match="holds no pair of streetview/ID_grdView"):
        open_split(tmp_path, "test")


def test_metres_elsewhere_are_kept_without_coordinates(tmp_path):
    root = write_cvact(tmp_path)
    rewrite(root, utm=loadmat(root / "ACT_data.mat")["utm"] - 1e6)
    pairs = open_split(root, "val")
    assert pairs.queries[0].location is None
    assert pairs.query_xy_m.shape == (2, 2)
    assert "utm puts 2 of 2 places outside Canberra" in "\n".join(CVACT.read(root, "val", {}).notes)


def test_raw_names_and_polar_tiles_are_noted(tmp_path):
    root = write_cvact(tmp_path)
    raw = root / "ANU_data_small" / IDS[0]
    raw.mkdir()
    (raw / f"{IDS[0]}_zoom_2.jpg").write_bytes(b"x")
    (root / "ANU_data_small/polarmap").mkdir()
    notes = "\n".join(CVACT.read(root, "val", {}).notes)
    assert "1 panoramas lie in" in notes
    assert "polar transform" in notes


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"valSet": {"valInd": np.array([[0.0], [3.0]])}}, r"valSet\.valInd run from 0 to 3; they count .* from 1"),
        ({"valSet": {"valInd": np.array([[7.0]])}}, r"run from 7 to 7; they count the 6 panoIds from 1"),
        ({"valSet": {"valInd": np.zeros((0, 1))}}, "run none"),
        ({"valSet": {"valInd": np.array([[2.0], [2.0]])}}, rf"{IDS[1]} is named twice, by .*entry 1 and by .*entry 2"),
        ({"valSet": {"other": 1.0}}, r"has no valSet\.valInd"),
        ({"panoIds": None}, "has no panoIds"),
        ({"utm": np.zeros((6, 3))}, r"utm has the shape \(6, 3\) for 6 panoIds"),
        ({"utm": np.full((6, 2), np.nan)}, "two finite metres"),
    ],
)
def test_a_wrong_matlab_file_says_what_is_wrong(tmp_path, change, reason):
    rewrite(write_cvact(tmp_path), **change)
    with pytest.raises(BadDataset, match=reason):
        open_split(tmp_path, "val")


@pytest.mark.parametrize("kept", [0, 60, 300])
def test_half_a_matlab_file_is_an_error_of_one_line(tmp_path, kept):
    path = write_cvact(tmp_path) / "ACT_data.mat"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BadDataset, match=r"cannot be read as a MATLAB file|has no ") as error:
        open_split(tmp_path, "val")
    assert "\n" not in str(error.value)
