"""The path under which a proxy serves the app, so that the links in its answers lead back through the proxy.

It is set once (`--root-path`), or taken from `X-Forwarded-Prefix` where the proxy is trusted to set that header.
"""

from __future__ import annotations

import re

__all__ = ["normal_prefix"]

_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]{1,100}){0,10}")


def normal_prefix(text: str) -> str:
    """A path such as "/geo/maps" without a closing slash, or "" for none.

    Raises:
        ValueError: it is no such path.
    """
    prefix = text.strip().rstrip("/")
    if not _PREFIX.fullmatch(prefix) or any(part in (".", "..") for part in prefix.split("/")):
        raise ValueError(f"{text[:200]!r} is no path such as /geo: a slash, then letters, digits or any of . _ ~ -")
    return prefix
