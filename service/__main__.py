"""`python -m service`: serve an index over HTTP, or make one first with `python -m service up`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from model.common.command_line import run
from service.demo.ports import require_free
from service.settings import Settings, UpSettings, add_flags, read_settings

if TYPE_CHECKING:
    from service.demo.preparation import Preparation


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and serve until stopped."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["up"]:
        return run(lambda: _up(arguments[1:]))
    return run(lambda: _serve(read_settings(Settings, vars(_serve_parser().parse_args(arguments)))))


def _serve_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m service",
        description="Localize panoramas over HTTP.",
        epilog="'python -m service up' makes the index first, where there is none; see 'python -m service up --help'.",
    )
    add_flags(parser, Settings)
    return parser


def _up(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m service up", description="Index your tiles, or a synthetic demo region, once; then serve."
    )
    add_flags(parser, UpSettings)
    settings = read_settings(UpSettings, vars(parser.parse_args(arguments)))
    from service.demo.preparation import Preparation, index_folder

    return _serve(settings.serving(index_folder(settings)), Preparation(settings))


def _serve(settings: Settings, preparation: Preparation | None = None) -> int:
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)  # tells at length which variants it tried
    import uvicorn

    from service.app import create_app

    require_free(settings.host, settings.port)
    failures: list[Exception] = []

    def give_up(error: Exception) -> None:
        failures.append(error)
        server.should_exit = True

    config = uvicorn.Config(
        create_app(settings, preparation=preparation, on_failure=give_up),
        host=settings.host,
        port=settings.port,
        log_config=None,  # one format for all, as set above
        timeout_graceful_shutdown=settings.shutdown_s,
        server_header=False,
    )
    server = uvicorn.Server(config)
    server.run()
    if failures:
        raise failures[0]
    return 0


if __name__ == "__main__":
    sys.exit(main())
