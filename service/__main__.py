"""`python -m service`: serve an index over HTTP, or make one first with `python -m service up`."""

from __future__ import annotations

import faulthandler
import logging
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from model._version import VERSION
from model.common.command_line import run
from model.common.flags import Parser, add_flags
from service.demo.ports import require_free
from service.settings import ENVIRONMENT, Settings, UpSettings, read_settings

if TYPE_CHECKING:
    from service.demo.preparation import Preparation


def main(argv: Sequence[str] | None = None, *, prog: str = "python -m service") -> int:
    """Parse the command line and serve until stopped; 0 when it worked, 1 when not, 2 for wrong arguments."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["up"]:
        parsed = vars(_up_parser(f"{prog} up").parse_args(arguments[1:]))
        return run(lambda: _up(read_settings(UpSettings, parsed)))
    parsed = vars(_serve_parser(prog).parse_args(arguments))
    return run(lambda: _serve(read_settings(Settings, parsed)))


def _serve_parser(prog: str) -> Parser:
    parser = Parser(
        prog=prog,
        description="Localize panoramas over HTTP.",
        epilog=f"'{prog} up' makes the index first, where there is none; see '{prog} up --help'.",
    )
    parser.add_argument("--version", action="version", version=VERSION)
    add_flags(parser, Settings, environment=ENVIRONMENT)
    return parser


def _up_parser(prog: str) -> Parser:
    parser = Parser(prog=prog, description="Index your tiles, or a synthetic demo region, once; then serve.")
    add_flags(parser, UpSettings, environment=ENVIRONMENT)
    return parser


def _up(settings: UpSettings) -> int:
    from service.demo.preparation import Preparation, index_folder, samples_folder

    served = settings.serving(index_folder(settings), samples_folder(settings))
    return _serve(served, Preparation(settings))


def _serve(settings: Settings, preparation: Preparation | None = None) -> int:
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)  # tells at length which variants it tried
    if preparation is None:
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
    if failures:
        raise failures[0]
    return 0


if __name__ == "__main__":
    sys.exit(main())
