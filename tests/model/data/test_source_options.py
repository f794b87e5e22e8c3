"""The options behind a data set's name."""

from __future__ import annotations

import pytest

from model.common.errors import BadDataset
from model.data.source_options import source_options


def test_an_ampersand_parts_before_a_known_name_only():
    tail = "root=A&b&labels=corrected"
    assert source_options(f"vigor:test?{tail}", tail, ("root", "labels")) == {"root": "A&b", "labels": "corrected"}
    assert source_options("vigor:test", "", ("root",)) == {}


@pytest.mark.parametrize("tail", ["rot=A", "root=", "root", "root=A&root=B"])
def test_what_is_no_option_is_named(tail):
    with pytest.raises(BadDataset, match="is no option; known are root="):
        source_options(f"x?{tail}", tail, ("root",))
