"""Every setting of the service, in one place: environment variables `CLNET_*`, overridden by flags of the same name.

The flags are made from these fields, so the two cannot differ.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from annotated_types import Ge, Gt, Le

from indexer.milvus.address import MilvusAddress, parse_index
from model.common.errors import BadConfig, BadOption
from model.common.flags import Option, read_flags
from model.common.processors import available_processors
from model.common.specs import spec
from model.inputs.specs import COARSE_HEADINGS
from model.network.specs import EncoderOptions
from service.prefix import normal_prefix

__all__ = ["ENVIRONMENT", "Settings", "UpSettings", "read_settings"]

ENVIRONMENT = "CLNET_"
"""What the name of each variable begins with."""

_S = TypeVar("_S")


@spec(kw_only=True)
class ServeSettings(EncoderOptions):
    """How to serve, whatever is served."""

    host: Annotated[str, Option("address to listen on; 0.0.0.0 for every interface")] = "127.0.0.1"
    port: Annotated[int, Ge(0), Le(65535), Option("TCP port to listen on; 0 takes a free one")] = 8000
    root_path: Annotated[
        str,
        Option("path under which a proxy serves this, such as /geo; links begin with it", parse=normal_prefix),
    ] = ""
    trust_forwarded_prefix: Annotated[
        bool, Option("take that path from X-Forwarded-Prefix; only behind a proxy that sets or removes the header")
    ] = False
    workers: Annotated[int, Ge(0), Le(256), Option("processes that decode common photos; 0: one a core")] = 0
    threads: Annotated[
        int,
        Ge(0),
        Le(256),
        Option("threads of one forward pass; 0: measured at the first start, half the cores at most"),
    ] = 0
    queue_limit: Annotated[int, Ge(0), Le(10_000), Option("requests that may wait; one more is answered 503")] = 64
    deadline_s: Annotated[float, Gt(0), Le(3600), Option("seconds after which a request is answered with 503")] = 30.0
    max_upload_mb: Annotated[int, Ge(1), Le(1024), Option("largest request body, in MiB; above it 413")] = 32
    max_uploads: Annotated[int, Ge(1), Le(10_000), Option("uploads received at once; one more is answered 503")] = 64
    upload_timeout_s: Annotated[float, Gt(0), Le(3600), Option("seconds in which an upload must arrive, else 408")] = (
        30.0
    )
    min_upload_kb_s: Annotated[
        float, Ge(0), Le(100_000), Option("KiB a second below which an upload is ended, 408, and an answer", "KB")
    ] = 4.0
    header_timeout_s: Annotated[float, Gt(0), Le(3600), Option("seconds in which a request's headers must arrive")] = (
        10.0
    )
    max_megapixels: Annotated[float, Gt(0), Le(1000), Option("largest photo, in megapixels; above it 422")] = 64.0
    decode_megapixels: Annotated[
        float, Gt(0), Le(100_000), Option("megapixels of large photos decoded at once, in processes of their own")
    ] = 64.0
    max_batch: Annotated[int, Ge(0), Le(4096), Option("photos in one forward pass; 0: measured at the first start")] = 0
    headings: Annotated[int, Ge(4), Le(360), Option("headings tried first where the photo's is unknown")] = (
        COARSE_HEADINGS
    )
    lame_duck_s: Annotated[
        float, Ge(0), Le(3600), Option("seconds of work after SIGTERM, while /readyz sends clients elsewhere")
    ] = 2.0
    rerank: Annotated[
        int, Ge(0), Le(1000), Option("look at the N best tiles again, between the anchors of the index; slower", "N")
    ] = 0
    follow_s: Annotated[
        float,
        Ge(0),
        Le(86_400),
        Option("seconds between two looks for a newer version of the index; 0: at SIGHUP alone"),
    ] = 5.0
    scan_on: Annotated[
        str | None,
        Option(
            "compare a photo with every tile on this device, such as cuda, which takes a copy of the index", "DEVICE"
        ),
    ] = None
    shutdown_s: Annotated[int, Ge(0), Le(3600), Option("seconds that open requests get to end at a stop")] = 20
    verify_index: Annotated[bool, Option("compare the digest of every index file before serving")] = False
    samples: Annotated[Path | None, Option("folder of photos that the page offers to try, the first three by name")] = (
        None
    )
    api_keys: Annotated[
        Path | None, Option("file of API keys, `NAME SHA256 [PER_MINUTE]` a line; none: anyone may ask")
    ] = None
    allowed_hosts: Annotated[str, Option("host names to answer under, separated by commas; empty: any")] = ""
    cors_origins: Annotated[str, Option("web origins whose pages may ask, separated by commas; empty: none")] = ""
    otlp_endpoint: Annotated[
        str, Option("address of an OpenTelemetry collector for traces (OTLP over HTTP); empty: none", "URL")
    ] = ""
    log_format: Annotated[Literal["text", "json"], Option("log lines for people or for machines")] = "text"
    log_level: Annotated[
        Literal["critical", "error", "warning", "info", "debug"], Option("least severe log line to write")
    ] = "info"

    def check_together(self) -> None:
        """A path in its normal form is kept."""
        try:
            object.__setattr__(self, "root_path", normal_prefix(self.root_path))
        except ValueError as error:
            raise BadConfig(f"root_path: {error}") from None

    @property
    def max_upload_bytes(self) -> int:
        """The body limit in bytes."""
        return self.max_upload_mb * 1024 * 1024

    @property
    def decoders(self) -> int:
        """Processes for common photos."""
        return self.workers or available_processors()

    @property
    def heavy_decoders(self) -> int:
        """Processes for large photos: as many as fit into the pixels decoded at once."""
        return min(self.decoders, max(1, int(self.decode_megapixels // self.max_megapixels)))

    @property
    def max_pixels(self) -> int:
        """The photo limit in pixels."""
        return round(self.max_megapixels * 1_000_000)


@spec(kw_only=True)
class Settings(ServeSettings):
    """What `python -m service` takes."""

    index: Annotated[
        Path | MilvusAddress,
        Option(
            "index folder made by `python -m indexer build`, or milvus://HOST:PORT/COLLECTION made by `publish`",
            parse=parse_index,
        ),
    ]


@spec(kw_only=True)
class UpSettings(ServeSettings):
    """What `python -m service up` takes: it makes the index first, where there is none."""

    data: Annotated[Path, Option("folder for what is made: demo region and indexes")] = Path("clnet-data")
    tiles: Annotated[Path | None, Option("your tiles (folder or archive); without it, the demo region is made")] = None
    tiles_name: Annotated[str | None, Option("name to keep the index of your tiles under; default: their path")] = None
    zoom: Annotated[int | None, Ge(0), Le(29), Option("zoom level of your tiles to index; default: the indexer's")] = (
        None
    )
    demo_side: Annotated[int, Ge(1), Le(512), Option("tiles along each side of the demo region")] = 32

    def serving(self, index: Path, samples: Path | None = None) -> Settings:
        """The settings to serve `index` with, and photos to try where none are stated."""
        shared = {one.name: getattr(self, one.name) for one in fields(ServeSettings)}
        return Settings(index=index, **{**shared, "samples": self.samples or samples})


def read_settings(kind: type[_S], flags: Mapping[str, Any]) -> _S:
    """Settings from the environment and, over it, the flags that were given.

    Raises:
        BadOption: a value is missing, out of range, or an environment variable `CLNET_...` is not a setting.
    """
    _refuse_unknown_variables()
    return read_flags(kind, flags, environment=os.environ, prefix=ENVIRONMENT)


def _refuse_unknown_variables() -> None:
    known = {f"{ENVIRONMENT}{one.name.upper()}" for kind in (Settings, UpSettings) for one in fields(kind)}
    unknown = sorted(name for name in os.environ if name.upper().startswith(ENVIRONMENT) and name.upper() not in known)
    if unknown:
        raise BadOption(f"environment variable {unknown[0]} is no setting; known are {', '.join(sorted(known))}")
