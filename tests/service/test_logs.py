import json
import logging
import sys

from service.logs import JsonLines


def line(message, *args, **extra):
    record = logging.LogRecord("service.x", logging.WARNING, "x.py", 1, message, args, extra.pop("exc_info", None))
    record.__dict__.update(extra)
    return json.loads(JsonLines().format(record))


def test_message_is_one_json_object():
    told = line("a line\nand %s", '"another"')
    assert (told["level"], told["logger"], told["message"]) == ("warning", "service.x", 'a line\nand "another"')


def test_failure_brings_its_traceback():
    try:
        raise ValueError("broken")
    except ValueError:
        told = line("failed", exc_info=sys.exc_info())
    assert "ValueError: broken" in told["traceback"]


def test_what_is_told_of_a_request_takes_the_place_of_the_message():
    told = line("status=200", told={"status": 200})
    assert told["status"] == 200
    assert "message" not in told
