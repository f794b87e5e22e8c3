"""The errors of `model/`, one base for all three packages.

GeoLocalizationError
├── BadCoordinates   (ValueError)   an invalid latitude, longitude or bound
├── BadImage         (ValueError)   bytes that are not an image we accept
├── BadConfig        (ValueError)   a configuration that is wrong or contradicts itself
│   └── BadOption                   one that was given on the command line or by an environment variable
├── BadDataset       (ValueError)   a data set that is missing, empty or malformed
├── BadCheckpoint    (ValueError)   a bundle that is damaged, or not the one expected
│   └── BadExport                   an exported network that does not compute what torch computes
├── BadStore         (ValueError)   stored embeddings that are damaged or of another format
├── NotPlainFile     (OSError)      a pipe or a device where a file is wanted
├── OutputExists     (FileExistsError)  an artefact would overwrite something
├── ProcessLost      (RuntimeError) one of several training processes has ended
└── MissingExtra     (ImportError)  an optional dependency is not installed

Every message says what was wrong, the value seen, and what to do next, in one line.
"""

import re

__all__ = [
    "BadCheckpoint",
    "BadConfig",
    "BadCoordinates",
    "BadDataset",
    "BadExport",
    "BadImage",
    "BadOption",
    "BadStore",
    "GeoLocalizationError",
    "MissingExtra",
    "NotPlainFile",
    "OutputExists",
    "ProcessLost",
    "reason_of",
]


_LONGEST = 2_000
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
"""Ends of lines, and characters that steer a terminal: a message may quote a damaged file."""


class GeoLocalizationError(Exception):
    """Base of every error that a user of these packages can cause or mend; its message is one line, not too long."""

    def __str__(self) -> str:
        text = _BREAKS.sub(" ", super().__str__()).strip()
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]} ..."


class BadCoordinates(GeoLocalizationError, ValueError):
    """An invalid latitude, longitude or bound."""


class BadImage(GeoLocalizationError, ValueError):
    """Bytes that are not an image this project accepts."""


class BadConfig(GeoLocalizationError, ValueError):
    """A configuration that is wrong or contradicts itself."""


class BadOption(BadConfig):
    """A flag or an environment variable that is wrong; a command line ends with 2 for it, not 1."""


class BadDataset(GeoLocalizationError, ValueError):
    """A data set that is missing, empty or malformed."""


class BadCheckpoint(GeoLocalizationError, ValueError):
    """A checkpoint bundle that is damaged, or not the one expected."""


class BadExport(BadCheckpoint):
    """An exported network that does not compute what torch computes."""


class BadStore(GeoLocalizationError, ValueError):
    """Stored embeddings that are missing, damaged or of another format."""


class NotPlainFile(GeoLocalizationError, OSError):
    """A pipe or a device, of which no end is known, where a file is wanted."""


class OutputExists(GeoLocalizationError, FileExistsError):
    """Writing here would overwrite something that is already there."""


class ProcessLost(GeoLocalizationError, RuntimeError):
    """One of several processes that train together has ended."""


class MissingExtra(GeoLocalizationError, ImportError):
    """An optional dependency is needed and not installed."""


def reason_of(error: Exception) -> str:
    """Why something failed, in one line; an error of the system without its number and path."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return " ".join(str(error).split()) or type(error).__name__
