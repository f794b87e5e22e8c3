import pytest

from model.training import run_log as logs
from model.training.run_log import RunLog, read_log

PACE = {"pairs_per_s": 50.0}


def write_run(folder, steps: int) -> None:
    with RunLog(folder, resume_at=0) as log:
        for step in range(1, steps + 1):
            log.step(step, loss=1.0 / step, lr=0.1, seconds=2.0, **PACE)
            if step % 2 == 0:
                log.recall(step, {"recall@1": 10.0 * step})


def test_rows_beyond_the_state_are_dropped_and_the_rest_goes_on(tmp_path):
    write_run(tmp_path, 5)
    with RunLog(tmp_path, resume_at=3) as log:
        log.step(4, loss=0.5, lr=0.1, seconds=3.0, **PACE)
        assert log.seconds == 3 * 2.0 + 3.0
    rows = read_log(tmp_path / "log.csv")
    assert [row["step"] for row in rows if row["loss"]] == ["1", "2", "3", "4"]
    assert [(row["step"], row["recall@1"]) for row in rows if row["recall@1"]] == [("2", "20.000")]


def test_a_row_cut_short_by_a_kill_is_left_out(tmp_path):
    write_run(tmp_path, 3)
    path = tmp_path / "log.csv"
    path.write_text(path.read_text() + "4,0.2")
    assert [row["step"] for row in read_log(path) if row["loss"]] == ["1", "2", "3"]


def test_a_kill_while_the_log_is_cut_back_loses_nothing(tmp_path, monkeypatch):
    write_run(tmp_path, 5)
    before = (tmp_path / "log.csv").read_text()

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(logs.csv.DictWriter, "writerows", killed)
    with pytest.raises(KeyboardInterrupt):
        RunLog(tmp_path, resume_at=3)
    assert (tmp_path / "log.csv").read_text() == before
