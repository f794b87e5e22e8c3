"""What several commands take is called the same in all of them."""

from dataclasses import fields

import pytest

from indexer.commands.build import BuildOptions
from indexer.commands.calibrate import CalibrateOptions
from indexer.commands.info import InfoOptions
from indexer.commands.options import AnyIndexOptions, IndexOptions
from indexer.commands.search import SearchOptions
from indexer.commands.verify import VerifyOptions
from model.commands.evaluate import EvaluateOptions
from model.commands.train import TrainOptions
from model.common.flags import Parser, add_flags
from service.settings import Settings, UpSettings

ALL = [
    *(BuildOptions, CalibrateOptions, InfoOptions, SearchOptions, VerifyOptions),
    *(EvaluateOptions, TrainOptions, Settings, UpSettings),
]
SHARED = {
    "--index": [CalibrateOptions, InfoOptions, SearchOptions, VerifyOptions, Settings],
    "--checkpoint": [*ALL[:2], *ALL[3:6], *ALL[7:]],
    "--device": [*ALL[:2], *ALL[3:]],
    "--fov-deg": [CalibrateOptions, SearchOptions, EvaluateOptions],
    "--heading-deg": [CalibrateOptions, SearchOptions, EvaluateOptions],
    "--headings": [CalibrateOptions, EvaluateOptions, Settings, UpSettings],
    "--batch-size": [BuildOptions, EvaluateOptions],
    "--workers": [BuildOptions, EvaluateOptions, Settings, UpSettings],
}


@pytest.mark.parametrize("flag", SHARED)
def test_the_same_option_has_the_same_name_everywhere(flag):
    for options in ALL:
        parser = Parser()
        add_flags(parser, options)
        assert (flag in parser.format_usage()) == (options in SHARED[flag]), options


@pytest.mark.parametrize("options", [CalibrateOptions, InfoOptions, SearchOptions, VerifyOptions])
def test_commands_on_an_index_share_its_option(options):
    assert issubclass(options, IndexOptions | AnyIndexOptions)
    assert "index" in {one.name for one in fields(options)}
