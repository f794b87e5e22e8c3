"""Real processes: they die when they must, and the next photo never notices."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from PIL import Image

from model.common.errors import BadImage
from model.inputs.photo_view import GivenView
from service.concurrency.decode_lanes import DecodeLanes
from tests.fakes import FakeEncoder
from tests.service.pictures import encoded, panorama_of

INPUTS = FakeEncoder().inputs
PHOTO = encoded(panorama_of(3))
GIVEN = GivenView(heading_deg=0.0, fov_deg=360.0)


@pytest.fixture(scope="module")
def lanes():
    made = DecodeLanes(light=1, heavy=1, max_pixels=64_000_000)
    made.warm()
    yield made
    made.close()


@pytest.fixture(scope="module")
def large():
    """Few bytes, seconds of work."""
    return encoded(Image.new("RGBA", (9000, 7000), (10, 90, 40, 200)), "WEBP", lossless=True, method=0)


def prepare(lanes, photo):
    async def read() -> bytes:
        return photo

    return lanes.prepare(read, GIVEN, INPUTS)


def pid_of(process) -> int:
    return process._pool.schedule(os.getpid).result()


def test_photo_is_laid_as_the_localizer_lays_it(lanes):
    prepared = asyncio.run(prepare(lanes, PHOTO))
    height_px, width_px = prepared.canvas.shape[:2]
    assert (width_px, height_px) == INPUTS.ground_size_px
    assert prepared.view.heading_deg == 0.0


def test_what_the_decoder_says_of_a_photo_comes_back(lanes):
    with pytest.raises(BadImage, match="cannot be decoded"):
        asyncio.run(prepare(lanes, PHOTO[:-200]))
    with pytest.raises(BadImage, match="empty"):
        asyncio.run(prepare(lanes, b""))


def test_large_photo_does_not_hold_up_a_common_one(lanes, large):
    async def ask():
        heavy = asyncio.create_task(prepare(lanes, large))
        await asyncio.sleep(0.2)
        await prepare(lanes, PHOTO)
        assert not heavy.done()
        assert (await heavy).canvas.shape[2] == 3

    asyncio.run(ask())


def test_lanes_are_crowded_while_common_photos_wait(lanes):
    async def ask():
        asking = [asyncio.create_task(prepare(lanes, PHOTO)) for _ in range(3)]
        await asyncio.sleep(0)  # one has the process, two wait
        assert lanes.crowded()
        asking[1].cancel()
        await asyncio.gather(asking[0], asking[2])
        assert not lanes.crowded()

    assert not lanes.crowded()
    asyncio.run(ask())


def test_leaving_kills_the_process_and_the_next_photo_gets_another(lanes, large):
    before = pid_of(lanes._heavy._workers[0])

    async def ask():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await prepare(lanes, large)

    asyncio.run(ask())
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and Path(f"/proc/{before}").exists():
        time.sleep(0.05)
    assert not Path(f"/proc/{before}").exists()
    assert pid_of(lanes._heavy._workers[0]) != before
    asyncio.run(prepare(lanes, PHOTO))


@pytest.mark.parametrize("idle", [True, False])
def test_process_that_the_system_kills_is_replaced_and_the_photo_is_answered(lanes, large, idle):
    victim = pid_of(lanes._heavy._workers[0])

    async def ask():
        if idle:
            os.kill(victim, signal.SIGKILL)
            return await prepare(lanes, large)
        asking = asyncio.create_task(prepare(lanes, large))
        await asyncio.sleep(0.3)
        os.kill(victim, signal.SIGKILL)
        return await asking

    assert asyncio.run(ask()).canvas.shape[2] == 3


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGPROF, signal.SIGXCPU])
def test_photo_that_ends_its_decoder_is_refused(lanes, large, number):
    victim = pid_of(lanes._heavy._workers[0])

    async def ask():
        asking = asyncio.create_task(prepare(lanes, large))
        await asyncio.sleep(0.3)
        os.kill(victim, number)
        await asking

    with pytest.raises(BadImage, match="save it anew"):
        asyncio.run(ask())
    asyncio.run(prepare(lanes, PHOTO))
