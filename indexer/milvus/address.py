"""Where an index lies: a folder, a collection of a Milvus server, or one in a file of Milvus Lite.

milvus://HOST[:PORT]/COLLECTION[?database=NAME&token_file=PATH&tls=true&timeout_s=S]
milvus:///PATH.db#COLLECTION
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlsplit

from model.common.errors import BadConfig

__all__ = ["MilvusAddress", "index_folder", "parse_index", "parse_milvus"]

SCHEME = "milvus:"
_PORT = 19530
_TIMEOUT_S = 10.0
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
"""Milvus takes 255 characters, of which a version's mark needs some."""
_OPTIONS = ("database", "timeout_s", "tls", "token_file")
_FORMS = "give milvus://HOST:PORT/COLLECTION, or milvus:///PATH.db#COLLECTION for a file of Milvus Lite"


@dataclass(frozen=True)
class MilvusAddress:
    """A collection, and how to reach it.

    Example:
        >>> parse_milvus("milvus://db:19530/city").collection
        'city'

    Attributes:
        text: as it was given; it holds no secret.
        uri: what the client connects to: an address, or the path of a file.
        collection: name of the collection.
        database: that it lies in; empty for the default one.
        token_file: holds `user:password`, or a key; None where none is needed.
        timeout_s: how long an answer may take.
    """

    text: str
    uri: str
    collection: str
    database: str = ""
    token_file: Path | None = None
    timeout_s: float = _TIMEOUT_S

    def __str__(self) -> str:
        return self.text

    @property
    def is_file(self) -> bool:
        """Whether it is a file of Milvus Lite."""
        return not self.uri.startswith("http")


def parse_index(text: str) -> Path | MilvusAddress:
    """A folder, or an address that begins with `milvus:`.

    Raises:
        ValueError: it begins so and goes on wrongly.
    """
    return parse_milvus(text) if text.startswith(SCHEME) else Path(text)


def index_folder(text: str) -> Path:
    """A folder; where an address cannot be taken, one is refused by name.

    Raises:
        ValueError: it is an address.
    """
    if text.startswith(SCHEME):
        raise ValueError(
            f"{text} is a collection; this command works on index folders. `search`, `localize`, `info` and the "
            "service take collections"
        )
    return Path(text)


def parse_milvus(text: str) -> MilvusAddress:
    """An address of either form.

    Raises:
        ValueError: it is none.
    """
    parts = urlsplit(text)
    if parts.scheme != SCHEME[:-1]:
        raise ValueError(f"{text} is no address of Milvus; {_FORMS}")
    if "@" in parts.netloc:
        raise ValueError("the address holds a password, which logs would show; put user:password into a file and "
                         "give ?token_file=PATH")  # fmt: skip
    return _of_file(text, parts) if parts.fragment or not parts.netloc else _of_server(text, parts)


def _of_file(text: str, parts: SplitResult) -> MilvusAddress:
    if parts.netloc or parts.query or not parts.path.endswith(".db"):
        raise ValueError(f"{text} names no file that ends in .db; {_FORMS}")
    return MilvusAddress(text, str(Path(parts.path).absolute()), _named(text, parts.fragment))


def _of_server(text: str, parts: SplitResult) -> MilvusAddress:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(options) - set(_OPTIONS)):
        raise ValueError(f"{text} has the option {unknown[0]}; known are {', '.join(_OPTIONS)}")
    try:
        port, timeout_s = parts.port or _PORT, float(options.get("timeout_s", _TIMEOUT_S))
    except ValueError as error:
        raise ValueError(f"{text}: {error}; {_FORMS}") from None
    if not 0 < timeout_s <= 3600 or not parts.hostname:
        raise ValueError(f"{text} has the time-out {timeout_s:g} s and the host {parts.hostname}; {_FORMS}")
    if (tls := options.get("tls", "false")) not in ("true", "false"):
        raise ValueError(f"{text} has tls={tls}; give true or false")
    token = Path(options["token_file"]) if options.get("token_file") else None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    uri = f"{'https' if tls == 'true' else 'http'}://{host}:{port}"
    name = _named(text, parts.path.removeprefix("/"))
    return MilvusAddress(text, uri, name, options.get("database", ""), token, timeout_s)


def _named(text: str, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{text} names the collection {name!r}; a name has letters, digits and _, and no digit first; {_FORMS}"
        )
    return name


def read_token(address: MilvusAddress) -> str:
    """What the server wants to see; empty where nothing is named.

    Raises:
        BadConfig: the file cannot be read, or is empty.
    """
    if address.token_file is None:
        return ""
    try:
        token = address.token_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"token_file is {address.token_file}, which cannot be read: {error}") from None
    if not token:
        raise BadConfig(f"token_file is {address.token_file}, which is empty; it holds user:password, or a key")
    return token
