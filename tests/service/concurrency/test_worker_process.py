"""Real processes again, and what befalls one call must not befall the next."""

import asyncio
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from service.concurrency import worker_process
from service.concurrency.worker_process import ProcessDied, WorkerProcess

LARGE = bytes(range(256)) * (16 << 10)
"""More than the system takes at once from one who writes."""


class Unreadable(Exception):
    """It is written, but cannot be read again: that takes two arguments."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first}, {second}")


def set_up(folder: str = "") -> None:
    if folder:
        (Path(folder) / str(os.getpid())).touch()


def reversed_bytes(data: bytes) -> bytes:
    return data[::-1]


def refuse(kind: str) -> None:
    raise Unreadable("no", "thing") if kind == "unreadable" else ValueError("no such thing")


def lock() -> object:
    return threading.Lock()


def ignores_ctrl_c() -> bool:
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.fixture(scope="module")
def worker():
    made = WorkerProcess(set_up)
    yield made
    made.close()


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and Path(f"/proc/{pid}").exists():
        time.sleep(0.02)
    return not Path(f"/proc/{pid}").exists()


def test_long_questions_and_answers_arrive_whole(worker):
    assert asyncio.run(worker.run(reversed_bytes, LARGE)) == LARGE[::-1]
    assert asyncio.run(worker.run(reversed_bytes, b"")) == b""


def test_calls_of_several_loops_go_to_one_process(worker):
    assert asyncio.run(worker.run(os.getpid)) == asyncio.run(worker.run(os.getpid)) != os.getpid()


def test_what_a_call_raises_comes_back_and_says_where(worker):
    before = asyncio.run(worker.run(os.getpid))
    with pytest.raises(ValueError, match="no such thing") as told:
        asyncio.run(worker.run(refuse, "thing"))
    assert "in refuse" in told.value.__notes__[0]
    assert asyncio.run(worker.run(os.getpid)) == before


def test_what_cannot_be_sent_is_told_in_words(worker):
    with pytest.raises(RuntimeError, match="Unreadable: no, thing"):
        asyncio.run(worker.run(refuse, "unreadable"))
    with pytest.raises(Exception, match="cannot pickle"):
        asyncio.run(worker.run(lock))
    assert asyncio.run(worker.run(reversed_bytes, b"ab")) == b"ba"


def test_question_that_cannot_be_sent_costs_no_answer(worker):
    with pytest.raises((TypeError, AttributeError), match="pickle"):
        asyncio.run(worker.run(reversed_bytes, threading.Lock()))
    assert asyncio.run(worker.run(reversed_bytes, b"ab")) == b"ba"


def test_loop_turns_while_a_process_does_not_read(worker):
    """A long question to a process that is stopped must not stop anybody else."""

    async def ask() -> bytes:
        pid = await worker.run(os.getpid)
        os.kill(pid, signal.SIGSTOP)
        asking = asyncio.create_task(worker.run(reversed_bytes, LARGE))
        for _ in range(20):
            await asyncio.sleep(0.005)
        assert not asking.done()
        os.kill(pid, signal.SIGCONT)
        return await asking

    assert asyncio.run(asyncio.wait_for(ask(), 30)) == LARGE[::-1]


def test_caller_that_leaves_ends_the_process_and_the_next_gets_its_own_answer(worker):
    async def leave() -> int:
        pid = await worker.run(os.getpid)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(worker.run(time.sleep, 60), 0.2)
        return pid

    assert gone(asyncio.run(leave()))
    assert asyncio.run(worker.run(reversed_bytes, b"ab")) == b"ba"


def test_answer_that_nobody_took_is_nobody_elses(worker):
    """The caller leaves when the answer is on its way already."""

    async def leave() -> bytes:
        for wait_s in (0.0, 0.0005, 0.001, 0.002):
            asking = asyncio.create_task(worker.run(reversed_bytes, b"12"))
            await asyncio.sleep(wait_s)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            assert await worker.run(reversed_bytes, b"ab") == b"ba"
        return await worker.run(reversed_bytes, LARGE)

    assert asyncio.run(leave()) == LARGE[::-1]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_death_within_a_call_is_told_with_its_signal(worker, number):
    async def ask() -> None:
        pid = await worker.run(os.getpid)
        asking = asyncio.create_task(worker.run(time.sleep, 60))
        await asyncio.sleep(0.1)
        os.kill(pid, number)
        await asking

    with pytest.raises(ProcessDied) as told:
        asyncio.run(ask())
    assert told.value.exitcode == -number
    assert asyncio.run(worker.run(reversed_bytes, b"ab")) == b"ba"


def test_death_between_calls_costs_nobody_an_answer(worker, caplog):
    victim = asyncio.run(worker.run(os.getpid))
    os.kill(victim, signal.SIGKILL)
    assert gone(victim)
    assert asyncio.run(worker.run(os.getpid)) != victim
    assert "had nothing to do is gone" in caplog.text


def test_process_that_the_system_does_not_start_is_asked_for_again(worker, monkeypatch, caplog):
    def fail(_):
        raise OSError("no memory")

    victim = asyncio.run(worker.run(os.getpid))
    os.kill(victim, signal.SIGKILL)
    assert gone(victim)
    with monkeypatch.context() as patch:
        patch.setattr(WorkerProcess, "_start", fail)
        with pytest.raises(ProcessDied):
            asyncio.run(worker.run(os.getpid))
    assert "no process can be started: no memory" in caplog.text
    assert asyncio.run(worker.run(reversed_bytes, b"ab")) == b"ba"


def test_each_process_is_set_up_and_leaves_ctrl_c_to_the_service(tmp_path):
    worker = WorkerProcess(set_up, str(tmp_path))
    first = asyncio.run(worker.run(os.getpid))
    os.kill(first, signal.SIGKILL)
    assert gone(first)
    second = asyncio.run(worker.run(os.getpid))
    assert {int(path.name) for path in tmp_path.iterdir()} == {first, second}
    assert asyncio.run(worker.run(ignores_ctrl_c))
    worker.close()
    assert gone(second)


def test_closing_ends_a_call_that_is_under_way_and_starts_nothing():
    worker = WorkerProcess(set_up)

    async def ask() -> int:
        pid = await worker.run(os.getpid)
        asking = asyncio.create_task(worker.run(time.sleep, 60))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(worker.close)
        with pytest.raises(ProcessDied):
            await asking
        with pytest.raises(ProcessDied):
            await worker.run(os.getpid)
        return pid

    assert gone(asyncio.run(ask()))


@pytest.mark.parametrize("busy", [True, False])
def test_process_ends_quietly_with_the_one_that_asks(busy):
    """As where the service is killed: nobody is left at the other end of the line."""
    worker = WorkerProcess(set_up)
    asyncio.run(worker.run(os.getpid))
    if busy:
        worker._socket.send(worker_process._message((time.sleep, (0.3,), {})))
        time.sleep(0.1)
    worker._socket.close()
    worker._process.join(10)
    assert worker._process.exitcode == 0
    worker._starter.shutdown()


def test_modules_are_found_by_the_processes_and_the_environment_stays(monkeypatch):
    for before in (None, "somewhere"):
        if before is None:
            monkeypatch.delenv("PYTHONPATH", raising=False)
        else:
            monkeypatch.setenv("PYTHONPATH", before)
        worker_process._fork_server(__name__)
        assert os.environ.get("PYTHONPATH") == before
