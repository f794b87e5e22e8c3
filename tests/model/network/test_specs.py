"""Which encoder and where: the same two flags on every command that has one."""

import argparse

from model.common.flags import add_flags, read_flags
from model.network.specs import EncoderOptions


def parsed(*arguments):
    parser = argparse.ArgumentParser()
    add_flags(parser, EncoderOptions)
    return read_flags(EncoderOptions, vars(parser.parse_args(arguments)))


def test_the_packaged_encoder_runs_where_it_can_unless_told_otherwise():
    assert parsed() == EncoderOptions(checkpoint="street", device="auto")
    assert parsed("--checkpoint", "mine", "--device", "cpu") == EncoderOptions(checkpoint="mine", device="cpu")
