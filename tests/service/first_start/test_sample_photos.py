"""The demo offers photos from inside and from outside of its region."""

from service.first_start.preparation import samples_folder
from service.first_start.sample_photos import lay_samples
from service.settings import UpSettings


def part(folder, count):
    (folder / "panoramas").mkdir(parents=True)
    rows = ["query,reference"]
    for number in range(count):
        (folder / "panoramas" / f"{number}.jpg").write_bytes(f"{folder.name} {number}".encode())
        rows += [f"panoramas/{number}.jpg,a", ",distractor"]
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n")


def test_two_from_inside_and_one_from_outside(tmp_path):
    part(tmp_path / "region", 6)
    part(tmp_path / "elsewhere", 1)
    laid = {path.name: path.read_text() for path in lay_samples(tmp_path).iterdir()}
    assert laid == {
        "1 In this region.jpg": "region 2",
        "2 Also in this region.jpg": "region 4",
        "3 Outside of it.jpg": "elsewhere 0",
    }


def test_what_is_there_stays_and_a_small_demo_has_fewer(tmp_path):
    part(tmp_path / "region", 1)
    folder = lay_samples(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["1 In this region.jpg", "2 Also in this region.jpg"]
    (folder / "1 In this region.jpg").unlink()
    assert len(list(lay_samples(tmp_path).iterdir())) == 1


def test_own_tiles_come_without_samples_unless_stated(tmp_path):
    assert samples_folder(UpSettings(data=tmp_path)) == tmp_path / "demo/samples"
    assert samples_folder(UpSettings(data=tmp_path, tiles=tmp_path)) is None
    assert samples_folder(UpSettings(data=tmp_path, tiles=tmp_path, samples=tmp_path / "mine")) == tmp_path / "mine"
    served = UpSettings(data=tmp_path).serving(tmp_path, tmp_path / "demo/samples")
    assert served.samples == tmp_path / "demo/samples"
