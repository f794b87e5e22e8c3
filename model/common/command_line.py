"""What the three command lines share: a table of commands, and one way to end with an error."""

from __future__ import annotations

import importlib
import os
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any

from model._version import VERSION
from model.common.errors import BadOption, GeoLocalizationError, reason_of
from model.common.extras import missing_library
from model.common.flags import Parser, add_flags, read_flags

__all__ = ["Command", "Commands", "run", "run_command"]


@dataclass(frozen=True)
class Command:
    """A command, and where it lives; its module is imported when the command is chosen.

    Attributes:
        summary: one line of help.
        function: as `module:name`; takes the options and returns an exit code.
        options: name, in the same module, of the configuration that its flags are made from.
        examples: command lines without the command's own name, shown below its help.
    """

    summary: str
    function: str
    options: str
    examples: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """The module that holds both."""
        return self.function.partition(":")[0]


_ENDED_BY_PIPE = 141
"""What a shell gives for a program that SIGPIPE ended."""
Commands = Mapping[str, "Command | tuple[str, Mapping[str, Command]]"]
"""By name: a command, or a summary and the kinds of it."""


def run_command(commands: Commands, arguments: Sequence[str], *, prog: str, description: str, epilog: str = "") -> int:
    """Parse a command line and run the command that it names.

    Returns:
        0 when it worked, 1 when it failed, 2 for wrong arguments.
    """
    parser = Parser(
        prog=prog, description=description, epilog=epilog or None, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=VERSION)
    words = list(dropwhile(lambda word: word.startswith("-"), arguments))
    chosen = _add_commands(parser, commands, words, "COMMAND")
    parsed = vars(parser.parse_args(list(arguments)))
    if chosen is None:
        parser.error("no command given")
    return run(lambda: _run_chosen(chosen, parsed))


def run(command: Callable[[], int]) -> int:
    """Call a command; turn an error that the user can mend into one line on stderr and an exit code."""
    try:
        status = command()
        sys.stdout.flush()  # here, and not at exit, what cannot be written is told
        return status
    except BadOption as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except GeoLocalizationError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except BrokenPipeError:  # as `| head` ends: whoever read the output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left there cannot be written at exit
        return _ENDED_BY_PIPE
    except OSError as error:
        sys.stderr.write(f"error: {_in_words(error)}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130


def _add_commands(parser: Parser, commands: Commands, words: list[str], metavar: str) -> Command | None:
    """Add a subparser for each command, but flags only to the one that the words name; returns that one."""
    chosen = None
    kinds = parser.add_subparsers(required=True, metavar=metavar)
    for name, entry in commands.items():
        summary = entry.summary if isinstance(entry, Command) else entry[0]
        child: Parser = kinds.add_parser(name, help=summary, formatter_class=RawDescriptionHelpFormatter)
        if words[:1] != [name]:
            continue
        if isinstance(entry, Command):
            add_flags(child, _member(entry.module, entry.options))
            child.epilog = "\n  ".join(("examples:", *(f"{child.prog} {line}" for line in entry.examples)))
            child.epilog = child.epilog if entry.examples else None
            chosen = entry
        else:
            chosen = _add_commands(child, entry[1], words[1:], "KIND")
    return chosen


def _run_chosen(command: Command, parsed: Mapping[str, Any]) -> int:
    options = read_flags(_member(command.module, command.options), parsed)
    try:
        return int(_member(command.module, command.function.partition(":")[2])(options))
    except ModuleNotFoundError as error:
        raise (missing_library(error, "this command") or error) from error


def _member(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def _in_words(error: OSError) -> str:
    """`nowhere.jpg: no such file or directory` instead of `[Errno 2] ...`."""
    if error.filename is None or error.strerror is None:
        return str(error)
    return f"{error.filename}: {reason_of(error)}; check the path and its permissions"
