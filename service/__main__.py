"""`python -m service`: serve an index over HTTP, or make one first with `python -m service up`."""

from __future__ import annotations

from clnet_geolocalization import own_first

own_first()

import argparse
import faulthandler
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from model._version import VERSION
from model.common.command_line import run
from model.common.flags import Parser, add_flags
from service.first_start.ports import require_free
from service.keys import new_key
from service.logs import set_up_logs
from service.settings import ENVIRONMENT, Settings, UpSettings, read_settings

if TYPE_CHECKING:
    from service.first_start.preparation import Preparation


def main(argv: Sequence[str] | None = None, *, prog: str = "python -m service") -> int:
    """Parse the command line and serve until stopped; 0 when it worked, 1 when not, 2 for wrong arguments."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["up"]:
        parsed = vars(_up_parser(f"{prog} up").parse_args(arguments[1:]))
        return run(lambda: _up(read_settings(UpSettings, parsed)))
    if arguments[:1] == ["key"]:
        return run(lambda: _make_key(_key_parser(f"{prog} key").parse_args(arguments[1:])))
    parsed = vars(_serve_parser(prog).parse_args(arguments))
    return run(lambda: _serve(read_settings(Settings, parsed)))


def _serve_parser(prog: str) -> Parser:
    parser = Parser(
        prog=prog,
        description="Localize panoramas over HTTP.",
        epilog=f"'{prog} up' makes the index first, where there is none, '{prog} key' an API key; see their --help.",
    )
    parser.add_argument("--version", action="version", version=VERSION)
    add_flags(parser, Settings, environment=ENVIRONMENT)
    return parser


def _up_parser(prog: str) -> Parser:
    parser = Parser(prog=prog, description="Index your tiles, or a synthetic demo region, once; then serve.")
    add_flags(parser, UpSettings, environment=ENVIRONMENT)
    return parser


def _key_parser(prog: str) -> Parser:
    parser = Parser(prog=prog, description="Make an API key. It is shown once; its line goes into the file of keys.")
    parser.add_argument("name", help="whose key it is: letters, digits and . _ -")
    parser.add_argument("--per-minute", type=int, metavar="N", help="requests a minute; default: any number")
    return parser


def _make_key(args: argparse.Namespace) -> int:
    key, line = new_key(args.name, args.per_minute)
    print(f"key: {key}\nline for the file of --api-keys: {line}")
    return 0


def _up(settings: UpSettings) -> int:
    from service.first_start.preparation import Preparation, index_folder, samples_folder

    served = settings.serving(index_folder(settings), samples_folder(settings))
    return _serve(served, Preparation(settings))


def _serve(settings: Settings, preparation: Preparation | None = None) -> int:
    set_up_logs(settings.log_level, settings.log_format)
    if preparation is None and isinstance(settings.index, Path):
        from indexer.index.index_manifest import IndexManifest

        IndexManifest.read(settings.index)  # a wrong folder is named before anything is begun
    require_free(settings.host, settings.port)
    faulthandler.enable()  # an end by a signal of the hardware is told in the log, too
    from service.app import create_app
    from service.server import make_server

    failures: list[Exception] = []

    def give_up(error: Exception) -> None:
        failures.append(error)
        server.should_exit = True

    app = create_app(settings, preparation=preparation, on_failure=give_up)
    server = make_server(app, settings)
    server.run()
    if failures and not server.told:  # what was being made is stopped with the service, which is no failure
        raise failures[0]
    return 0


if __name__ == "__main__":
    sys.exit(main())
