"""Numbers as people read them."""

import pytest

from indexer.commands.output import as_degrees, as_size, print_json


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (1_540_000, "1.5 MB"), (2_000_000_000_000_000, "2000.0 TB")],
)
def test_sizes(count, text):
    assert as_size(count) == text


def test_coordinates_have_six_digits():
    assert as_degrees((8.5, -47.12345678)) == "8.500000, -47.123457"


def test_json_is_sorted(capsys):
    print_json({"b": (1, 2), "a": None})
    assert capsys.readouterr().out == '{\n  "a": null,\n  "b": [\n    1,\n    2\n  ]\n}\n'
