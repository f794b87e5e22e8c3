"""Every setting of the service, in one place: environment variables `CLNET_*`, overridden by flags of the same name.

The flags are made from these fields, so the two cannot differ.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from model.common.errors import BadConfig

__all__ = ["Settings", "UpSettings", "add_flags", "read_settings"]

_PREFIX = "CLNET_"
_CONFIG = SettingsConfigDict(env_prefix=_PREFIX, extra="forbid", frozen=True, env_ignore_empty=True)
_S = TypeVar("_S", bound=BaseSettings)


class ServeSettings(BaseSettings):
    """How to serve, whatever is served."""

    model_config = _CONFIG

    checkpoint: str = Field("demo", description="encoder bundle: 'demo', or a folder")
    device: str = Field("auto", description="where the encoder runs: auto, cpu, cuda, cuda:1, mps")
    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 for every interface")
    port: int = Field(8000, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one")
    workers: int = Field(0, ge=0, le=256, description="requests worked on at once; 0: one a core, 16 with a GPU")
    torch_threads: int = Field(0, ge=0, le=256, description="threads of one forward pass; 0: half the cores")
    queue_limit: int = Field(32, ge=0, le=10_000, description="requests that may wait; one more is answered 503")
    deadline_s: float = Field(30.0, gt=0, le=3600, description="seconds until a waiting request is given up with 503")
    max_upload_mb: int = Field(32, ge=1, le=1024, description="largest request body, in MiB; above it 413")
    max_uploads: int = Field(64, ge=1, le=10_000, description="uploads received at once; one more is answered 503")
    upload_timeout_s: float = Field(30.0, gt=0, le=3600, description="seconds in which an upload must arrive, else 408")
    max_megapixels: float = Field(64.0, gt=0, le=1000, description="largest photo, in megapixels; above it 422")
    decode_megapixels: float = Field(
        128.0,
        gt=0,
        le=100_000,
        description="megapixels decoded at once over all workers; up to 16 bytes of memory each",
    )
    max_batch: int = Field(0, ge=0, le=4096, description="photos in one forward pass; 0: 1 on CPU, 32 with a GPU")
    batch_wait_ms: float = Field(3.0, ge=0, le=1000, description="milliseconds to wait for a batch to fill")
    headings: int = Field(24, ge=4, le=360, description="headings tried first where the photo's is unknown")
    shutdown_s: int = Field(20, ge=0, le=3600, description="seconds that open requests get to end at a stop")
    log_level: Literal["critical", "error", "warning", "info", "debug"] = Field(
        "info", description="least severe log line to write"
    )

    @property
    def max_upload_bytes(self) -> int:
        """The body limit in bytes."""
        return self.max_upload_mb * 1024 * 1024

    @property
    def max_pixels(self) -> int:
        """The photo limit in pixels."""
        return round(self.max_megapixels * 1_000_000)


class Settings(ServeSettings):
    """What `python -m service` takes."""

    index: Path = Field(description="index folder made by `python -m indexer build`")
    verify_index: bool = Field(False, description="compare the digest of every index file before serving")


class UpSettings(ServeSettings):
    """What `python -m service up` takes: it makes the index first, where there is none."""

    data: Path = Field(Path("clnet-data"), description="folder for what is made: demo region and indexes")
    tiles: Path | None = Field(None, description="your tiles (folder or archive); without it, the demo region is made")
    tiles_name: str | None = Field(None, description="name to keep the index of your tiles under; default: their path")
    zoom: int | None = Field(None, ge=0, le=29, description="zoom level of your tiles to index; default: the indexer's")
    demo_side: int = Field(32, ge=1, le=512, description="tiles along each side of the demo region")

    def serving(self, index: Path) -> Settings:
        """The settings to serve `index` with."""
        shared = {name: getattr(self, name) for name in ServeSettings.model_fields}
        return Settings(index=index, **shared)


def add_flags(parser: argparse.ArgumentParser, settings: type[BaseSettings]) -> None:
    """One flag for each field; unset flags leave the environment's value, or the default, in force."""
    for name, field in settings.model_fields.items():
        flag = f"--{name.replace('_', '-')}"
        default = "required" if field.is_required() else f"default {field.default}"
        help_text = f"{field.description} ({default}; environment {_PREFIX}{name.upper()})"
        if field.annotation is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=help_text)
        else:
            parser.add_argument(flag, default=None, help=help_text, metavar=name.rsplit("_", 1)[-1].upper())


def read_settings(kind: type[_S], flags: Mapping[str, Any]) -> _S:
    """Settings from the environment and, over it, the flags that were given.

    Raises:
        BadConfig: a value is missing, out of range, or an environment variable `CLNET_...` is not a setting.
    """
    _refuse_unknown_variables()
    try:
        return kind(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise BadConfig("; ".join(_complaint(item) for item in error.errors(include_url=False))) from None


def _refuse_unknown_variables() -> None:
    known = {f"{_PREFIX}{name.upper()}" for kind in (Settings, UpSettings) for name in kind.model_fields}
    unknown = sorted(name for name in os.environ if name.upper().startswith(_PREFIX) and name.upper() not in known)
    if unknown:
        raise BadConfig(f"environment variable {unknown[0]} is no setting; known are {', '.join(sorted(known))}")


def _complaint(item: Mapping[str, Any]) -> str:
    name = str(item["loc"][0]) if item["loc"] else "settings"
    flag, variable = f"--{name.replace('_', '-')}", f"{_PREFIX}{name.upper()}"
    if item["type"] == "missing":
        return f"{flag} is missing; give it, or set {variable}"
    return f"{flag} (or {variable}) is {item['input']!r}: {item['msg']}"
