"""Where rendered data is kept: one folder, under the same flag on every command that has data sets."""

import argparse
from pathlib import Path

from model.common.flags import add_flags, read_flags
from model.data.specs import DEFAULT_CACHE, CacheOptions


def parsed(*arguments):
    parser = argparse.ArgumentParser()
    add_flags(parser, CacheOptions)
    return read_flags(CacheOptions, vars(parser.parse_args(arguments)))


def test_rendered_splits_are_kept_in_one_folder_unless_told_otherwise():
    assert parsed().cache == DEFAULT_CACHE
    assert parsed("--cache", "elsewhere").cache == Path("elsewhere")
