import json

from indexer.commands.output import as_degrees, as_size, print_json, print_lines


def test_sizes_are_for_people():
    assert [as_size(count) for count in (0, 999, 1000, 6_600_000, 3 * 10**15)] == [
        "0 bytes", "999 bytes", "1.0 kB", "6.6 MB", "3000.0 TB"
    ]  # fmt: skip


def test_degrees_have_six_digits():
    assert as_degrees((8.5, -47.1234567)) == "8.500000, -47.123457"


def test_json_is_sorted_and_lines_end(capsys):
    print_json({"b": 1, "a": [2]})
    printed = capsys.readouterr().out
    assert printed.index('"a"') < printed.index('"b"')
    assert json.loads(printed) == {"a": [2], "b": 1}
    print_lines("one", "two")
    assert capsys.readouterr().out == "one\ntwo\n"
