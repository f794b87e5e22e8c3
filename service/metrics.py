"""What Prometheus reads from `/metrics`. Every app has a registry of its own."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from model._version import VERSION

__all__ = ["Metrics"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._steps = Histogram(
            "clnet_step_seconds",
            "Time of one step of a localization",
            ["step"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._batch_rows = Histogram(
            "clnet_batch_rows", "Canvases in one forward pass", buckets=_ROWS, registry=self.registry
        )
        self._queue_depth = Gauge(
            "clnet_queue_depth", "Localizations that wait or are worked on", registry=self.registry
        )
        self._requests = Counter(
            "clnet_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self._index_tiles = Gauge("clnet_index_tiles", "Tiles in the index that is served", registry=self.registry)

        self._latency = Histogram(
            "clnet_request_seconds", "Time until an answer", ["route"], buckets=_SECONDS, registry=self.registry
        )
        self._refusals = Counter(
            "clnet_refusals",
            "Requests, or photos of a batch, that were not answered, by reason",
            ["reason"],
            registry=self.registry,
        )
        self._uploads = Gauge("clnet_uploads", "Uploads that arrive now", registry=self.registry)
        self._swaps = Counter(
            "clnet_index_swaps", "Times that the index was replaced", ["outcome"], registry=self.registry
        )
        build = Gauge("clnet_build_info", "Version of the service", ["version"], registry=self.registry)
        build.labels(VERSION).set(1)

    def answered(self, route: str, seconds: float, reason: str) -> None:
        """A request ended after some seconds; `reason` is empty where it was answered."""
        self._latency.labels(route).observe(seconds)
        if reason:
            self.refused(reason)

    def refused(self, reason: str) -> None:
        """A request, or a photo of a batch, was not answered."""
        self._refusals.labels(reason).inc()

    def uploads(self, count: int) -> None:
        """`count` uploads arrive now."""
        self._uploads.set(count)

    def swapped(self, outcome: str) -> None:
        """The index was replaced, or could not be."""
        self._swaps.labels(outcome).inc()

    def steps(self, seconds: Mapping[str, float]) -> None:
        """Seconds spent by step of one localization."""
        for step, value in seconds.items():
            self._steps.labels(step).observe(value)

    def batch(self, rows: int) -> None:
        """A forward pass of `rows` canvases."""
        self._batch_rows.observe(rows)

    def waiting(self, count: int) -> None:
        """`count` localizations wait or are worked on."""
        self._queue_depth.set(count)

    def request(self, method: str, route: str, status: int) -> None:
        """A request was answered; `route` is the template, not the address that a client made up."""
        self._requests.labels(method, route, str(status)).inc()

    def index_tiles(self, count: int) -> None:
        """The index that is served holds `count` tiles."""
        self._index_tiles.set(count)

    def text(self) -> bytes:
        """Everything in Prometheus's text format."""
        return generate_latest(self.registry)
