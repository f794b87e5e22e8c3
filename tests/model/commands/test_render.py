"""`render`: a region at known places, never over another."""

from model.__main__ import main


def test_a_region_with_too_few_places_says_how_many_it_had(tmp_path, capsys):
    command = ["render", "region", "--side", "2", "--workers", "1", "--panoramas", "9", "--calibration", "5", "--out"]
    assert main([*command, str(tmp_path / "r")]) == 0
    out, error = capsys.readouterr()
    taken = len(list((tmp_path / "r" / "panoramas").iterdir()))
    assert f"4 synthetic tiles and {taken} panoramas" in out
    assert error.startswith(f"warning: {taken} of 14 panoramas could be taken, 0 of them to calibrate with")
    assert error.count("\n") == 1


def test_rendering_a_region_and_never_over_it(tmp_path, capsys):
    command = ["render", "region", "--out", str(tmp_path / "r"), "--side", "1", "--panoramas", "1", "--workers", "1"]
    assert main(command) == 0
    assert "1 synthetic tiles" in capsys.readouterr().out
    assert main(command) == 1
    assert "exists already" in capsys.readouterr().err


def test_a_coordinate_that_cannot_be_is_explained(capsys):
    assert main(["render", "region", "--out", "x", "--centre", "91,0"]) == 2
    assert "--centre: latitude 91.0 is not in [-90, 90]" in capsys.readouterr().err
