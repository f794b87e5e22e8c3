import pytest

from model.__main__ import main


@pytest.mark.parametrize(
    "command",
    [
        ["evaluate", "--data", "pairs.csv", "--batch-size"],
        ["evaluate", "--data", "pairs.csv", "--queries"],
        ["render", "region", "--out", "region", "--workers"],
        ["render", "pairs", "--data", "world:smoke", "--out", "pairs", "--workers"],
    ],
    ids=["batch", "queries", "region", "pairs"],
)
@pytest.mark.parametrize("count", ["0", "-3", "many"])
def test_a_count_below_one_is_a_wrong_argument(capsys, command, count):
    assert main([*command, count]) == 2
    assert f"{command[-1]} is {count!r}; give a whole number of at least 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["evaluate", "--checkpoint", "nowhere", "--data", "world:val"], "no checkpoint bundle"),
        (["info", "--checkpoint", "nowhere"], "packaged ones are"),
        (["train", "--config", "none.json", "--out", "x"], "no configuration none.json"),
        (["train"], "no --out given"),
        (["render", "pairs", "--data", "world:moon", "--out", "x"], "no split 'moon'"),
        (["check-data", "cvusa"], "no --root given; name the folder of cvusa"),
        (["check-data", "moon", "--root", "x"], "there is no benchmark 'moon'"),
        (["check-data", "cvusa", "--root", "nowhere"], "there is no folder nowhere"),
    ],
)
def test_a_mistake_ends_with_one_line_and_exit_code_one(command, reason, capsys):
    assert main(command) == 1
    error = capsys.readouterr().err
    assert reason in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["fly"],
        ["render"],
        ["render", "region"],
        ["evaluate", "--fov", "90", "--data", "a"],
    ],
)
def test_a_wrong_command_line_ends_with_usage_and_exit_code_two(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main(command)
    assert stop.value.code == 2
    assert "usage:" in capsys.readouterr().err
