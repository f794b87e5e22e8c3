"""The numbers of headings fit the circle, and are known without an array library."""

import subprocess
import sys

from model.inputs.specs import COARSE_HEADINGS, MOST_HEADINGS


def test_headings_are_whole_steps_of_a_degree():
    assert 360 % COARSE_HEADINGS == 0
    assert MOST_HEADINGS == 360
    assert MOST_HEADINGS % COARSE_HEADINGS == 0


def test_they_are_known_without_an_array_library():
    code = "import sys, model.inputs.specs; print({'numpy', 'torch', 'PIL'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
