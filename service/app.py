"""The application factory: `create_app(settings)` makes the whole service, ready for any ASGI server.

Model and index load in the background after the start: `/healthz` answers at once, `/readyz` when they are there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from indexer.common.encoders import QueryEncoder
from model._version import VERSION
from model.common.processors import available_processors
from service import corpus_routes, explain_routes, many_routes, routes, together
from service.access import AccessLogMiddleware, HostMiddleware, KeyMiddleware
from service.docs_page import add_docs
from service.engine import Engine, LoadEncoder
from service.errors import install_handlers
from service.first_start.layout import best_threads, threads_to_try
from service.first_start.preparation import Preparation
from service.first_start.remembered import measured_once
from service.keys import KeyRing
from service.metrics import Metrics
from service.middleware import (
    BodyLimitMiddleware,
    HeadMiddleware,
    LastWordMiddleware,
    PrefixMiddleware,
    SecurityHeadersMiddleware,
)
from service.openapi import complete_openapi
from service.page import add_page
from service.settings import Settings
from service.telemetry import otlp_tracing
from service.uploads import UploadMiddleware

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

__all__ = ["create_app"]

logger = logging.getLogger(__name__)

_FORM_FIELDS = 16
_TEXT_FIELD_BYTES = 1024
_SENT_HEADERS = ("Authorization", "X-API-Key", "X-Request-Id", "If-None-Match")
"""That a page of another origin may send, where it may ask at all."""
_TOLD_HEADERS = ("Retry-After", "X-Request-Id", "X-Bounds", "ETag")
"""That it may read."""
_DESCRIPTION = (
    "Finds where a street-level photo was taken by comparing it with satellite tiles. "
    "Coordinates are WGS 84 degrees; errors are RFC 9457 problem details."
)


def create_app(
    settings: Settings,
    *,
    preparation: Preparation | None = None,
    load_encoder: LoadEncoder | None = None,
    on_failure: Callable[[Exception], None] | None = None,
    tracing: TracerProvider | None = None,
) -> FastAPI:
    """The service for one index.

    Args:
        settings: what to serve, and how.
        preparation: steps that make the index, run first.
        load_encoder: where the encoder comes from; the checkpoint of the settings when left out.
        on_failure: told when model and index cannot be loaded. When left out the process stays, and `/readyz` says
            what is wrong.
        tracing: what spans go to; the collector of the settings when left out.

    Raises:
        BadConfig: the settings name a collector, and OpenTelemetry is not installed.
    """
    metrics = Metrics()
    if tracing is None and settings.otlp_endpoint:
        tracing = otlp_tracing(settings.otlp_endpoint)
    engine = Engine(settings, metrics, load_encoder=load_encoder or _load_checkpoint, preparation=preparation)
    app = _GuardedApp(
        guard=lambda inner: _guarded(inner, settings, metrics),
        title="CLNet geo-localization",
        description=_DESCRIPTION,
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(engine, preparation, on_failure, tracing),
        telemetry={
            "tracer_provider": tracing,
            "tracing": tracing is not None,
            "operation_spans": False,  # one span a request, which steps are told to
            "metrics": False,
            "logs": False,
        },
        max_body_size=settings.max_upload_bytes,
        form_limits={"max_files": 1, "max_fields": _FORM_FIELDS, "max_part_size": _TEXT_FIELD_BYTES},
    )
    app.state.engine, app.state.metrics, app.state.settings = engine, metrics, settings
    install_handlers(app)
    for prefix, shown in (("", False), ("/v1", True)):
        for each in (routes.router, together.router, corpus_routes.grid_router):
            app.include_router(each, prefix=prefix, include_in_schema=shown)
    for each in (many_routes.router, explain_routes.router, corpus_routes.router):
        app.include_router(each, prefix="/v1")
    complete_openapi(app, keys=settings.api_keys is not None)
    add_docs(app)
    add_page(app, samples=settings.samples)
    return app


class _GuardedApp(FastAPI):
    """FastAPI with guards around its whole stack, its own error answers included."""

    def __init__(self, *, guard: Callable[[ASGIApp], ASGIApp], **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self._guard = guard

    def build_middleware_stack(self) -> ASGIApp:
        return self._guard(super().build_middleware_stack())


def _guarded(inner: ASGIApp, settings: Settings, metrics: Metrics) -> ASGIApp:
    guard = UploadMiddleware(
        inner,
        max_uploads=settings.max_uploads,
        timeout_s=settings.upload_timeout_s,
        least_bytes_per_s=settings.min_upload_kb_s * 1024,
        on_count=metrics.uploads,
    )
    asked: ASGIApp = BodyLimitMiddleware(guard, limit_mb=settings.max_upload_mb)
    if settings.api_keys is not None:
        asked = KeyMiddleware(asked, KeyRing(settings.api_keys))
    if settings.cors_origins:
        asked = CORSMiddleware(
            asked,
            _listed(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=_SENT_HEADERS,
            expose_headers=_TOLD_HEADERS,
        )
    if settings.allowed_hosts:
        asked = HostMiddleware(asked, _listed(settings.allowed_hosts))
    logged = AccessLogMiddleware(HeadMiddleware(SecurityHeadersMiddleware(LastWordMiddleware(asked))), metrics)
    return PrefixMiddleware(logged, root_path=settings.root_path, trust_header=settings.trust_forwarded_prefix)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _lifespan(
    engine: Engine,
    preparation: Preparation | None,
    on_failure: Callable[[Exception], None] | None,
    tracing: TracerProvider | None,
) -> Callable[[FastAPI], object]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async def load() -> None:
            # A thread that ends: the OpenMP team which loading leaves with its thread would compete with the encoder's,
            # and make every forward pass take twice as long.
            with ThreadPoolExecutor(1, thread_name_prefix="load") as once:
                await asyncio.get_running_loop().run_in_executor(once, engine.load)
            if engine.failure is not None and on_failure is not None:
                on_failure(engine.failure)

        loading = asyncio.create_task(load())
        yield
        if preparation is not None:
            preparation.stop()
        engine.stop_waiting()
        await loading
        await asyncio.to_thread(engine.close)
        if tracing is not None:
            await asyncio.to_thread(tracing.shutdown)

    return lifespan


def _load_checkpoint(settings: Settings) -> tuple[QueryEncoder, bool]:
    from model.network.encoder import Encoder

    def load(threads: int) -> Encoder:
        return Encoder.load(settings.checkpoint, device=settings.device, engine=settings.engine, threads=threads)

    encoder = load(settings.threads or 1)
    if settings.threads or encoder.engine.accelerated:
        return encoder, encoder.engine.accelerated
    processors = available_processors()
    if len(threads_to_try(processors)) == 1:
        return encoder, False
    about = {"encoder": encoder.digest, "engine": encoder.engine.name, "precision": encoder.engine.precision}
    threads = measured_once("threads of a pass", about, partial(best_threads, load, processors))
    logger.info("a forward pass takes %s of %s processors", threads, processors)
    return encoder if threads == 1 else load(threads), False
