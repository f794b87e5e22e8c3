"""Traces for an OpenTelemetry collector: a span for each request, with the seconds of its steps. Needs `otel`.

The framework makes the spans; here they are given a way out, and what only this service knows. No photo, no form and no
key is in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from opentelemetry import trace

from model._version import VERSION
from model.common.errors import BadConfig

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

__all__ = ["otlp_tracing", "tell_steps"]

_NAME = "clnet-geolocalization"


def otlp_tracing(endpoint: str) -> TracerProvider:
    """What sends spans, in the background, to a collector that takes OTLP over HTTP.

    Args:
        endpoint: its address, such as `http://127.0.0.1:4318`.

    Raises:
        BadConfig: the extra is not installed, or the address is none.
    """
    if not endpoint.startswith(("http://", "https://")):
        raise BadConfig(f"otlp_endpoint {endpoint!r} is no address; give one such as http://127.0.0.1:4318")
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise BadConfig("traces need OpenTelemetry; install the extra `otel`, or leave otlp_endpoint empty") from error
    provider = TracerProvider(resource=Resource.create({"service.name": _NAME, "service.version": VERSION}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")))
    return provider


def tell_steps(seconds: Mapping[str, float]) -> None:
    """Add the seconds of each step to the span of the request that is answered now; nothing where there is none."""
    span = trace.get_current_span()
    if span.is_recording():
        span.set_attributes({f"clnet.{step}_s": value for step, value in seconds.items()})
